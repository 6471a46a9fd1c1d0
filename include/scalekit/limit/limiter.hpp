#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/limit/decision.hpp"
#include "scalekit/limit/identity.hpp"
#include "scalekit/limit/rule.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

namespace scalekit::limit {

struct limiter_params {
  /// 1 to 64 rules. The order has no meaning: all that apply to a call must allow it.
  std::vector<rule> rules = {};
};

/// What the limiter has done since it was made. Counted without a common lock: the figures may be
/// of slightly different moments.
struct limiter_stats {
  /// Keys that lost their cell while part of their burst (at most a quarter) was still spent: they
  /// start again with a full one. Above zero: raise max_keys of a rule.
  std::uint64_t forgotten_keys = 0;
  /// Calls counted in a cell shared with other keys, because no cell could be freed.
  std::uint64_t overflowed = 0;
};

/// Decides, in process, whether a call may go ahead.
///
///     limit::limiter limiter({.rules = {
///         {.name = "ip", .by = {"ip"}, .limit = 100, .per = 1s},
///         {.name = "login", .by = {"user"}, .limit = 5, .per = 1min,
///          .only_if = {{"endpoint", "POST /login"}}}}});
///     auto d = limiter.check({limit::ip(remote), limit::user(42), limit::endpoint(route)});
///     if (!d.allowed()) reply(429, http::limit_headers(d));
///
/// Memory is allocated at construction and never grows. Keys are kept as 128-bit hashes under a
/// secret drawn for each limiter: two keys would share one bucket with a probability of about
/// 2^-127 a pair, and nobody outside can search for such a pair.
///
/// A forked child has its own copy of the counts; what would need a lock there throws errc::forked.
/// Make the limiter after the fork.
///
/// Thread safety: all members may be called from any thread. Calls on different keys rarely meet;
/// a call under one rule on a known key takes no lock. A call never waits for anything but
/// another call's few memory accesses, and never allocates.
class SCALEKIT_EXPORT limiter {
 public:
  /// How many rules may apply to one call; more is refused at construction.
  static constexpr std::size_t max_rules = 64;
  /// How many identities one call may carry.
  static constexpr std::size_t max_identities = 16;

  /// Throws std::invalid_argument naming the field, the value and the legal range.
  /// `time` must outlive the limiter; only its monotonic side is read.
  explicit limiter(limiter_params params, const clock& time = clock::system());
  ~limiter();
  limiter(limiter&&) noexcept;
  limiter& operator=(limiter&&) noexcept;

  /// Asks for `cost` under every rule that applies to these identities: allowed by all of them and
  /// charged to all of them, or refused and charged to none.
  ///
  /// `cost`: multiplied by the rule's own; 0 is always allowed, and charges nothing. At most one
  /// identity a kind. Throws std::invalid_argument for a kind given twice or for more than
  /// max_identities; no other errors.
  decision check(std::span<const identity> who, std::uint32_t cost = 1);
  decision check(std::initializer_list<identity> who, std::uint32_t cost = 1) {
    return check(std::span{who.begin(), who.size()}, cost);
  }

  /// What check() would answer now, without consuming: `remaining` is of before the call.
  decision peek(std::span<const identity> who, std::uint32_t cost = 1) const;
  decision peek(std::initializer_list<identity> who, std::uint32_t cost = 1) const {
    return peek(std::span{who.begin(), who.size()}, cost);
  }

  /// Gives back what an allowed check() with the same arguments consumed, for work that was not
  /// done after all. Never fills a bucket above its burst. The caller answers for calling it at
  /// most once for a check.
  void refund(std::span<const identity> who, std::uint32_t cost = 1);
  void refund(std::initializer_list<identity> who, std::uint32_t cost = 1) {
    refund(std::span{who.begin(), who.size()}, cost);
  }

  /// The rules, with `burst` and `max_keys` as they are applied.
  std::span<const rule> rules() const noexcept;

  limiter_stats stats() const noexcept;

  /// Bytes taken for the state of keys: fixed at construction.
  std::size_t memory_bytes() const noexcept;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace scalekit::limit

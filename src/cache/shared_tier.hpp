#pragma once

#include "cache/entry_format.hpp"
#include "cache/failover.hpp"
#include "cache/file_entry.hpp"
#include "cache/file_tier.hpp"
#include "scalekit/cache/store_params.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/counter.hpp"
#include "scalekit/core/deadline.hpp"
#include "scalekit/core/log.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::cache::detail {

/// What a look at one key of the shared tier gave.
struct shared_look {
  std::optional<file_found> found;
  /// Of a claim: what a fill must find in the value's place. Empty where the server could not be
  /// asked, or takes no writes.
  std::string expected;
  /// The caller's own stop ended it.
  bool is_cancelled = false;
};

/// What became of a fill.
enum class shared_fill {
  stored,
  /// In the fallback: of what other machines have changed meanwhile nothing was heard.
  stored_aside,
  /// What it expected had gone: the key was set, erased or cleared, by whomever, or another who
  /// loads it was faster, or the lease had run out.
  fenced,
  /// Not known, or refused.
  failed,
};

/// The tier that several machines share: what is a hit, what is dead, what happens when the server
/// fails. A driver does the talking.
///
/// A server that fails never fails a lookup, a fill or a put: see shared_line, and failover. The
/// start_ forms are for drivers that are asynchronous; they call back once, from any thread, never
/// from inside.
///
/// Thread safety: all members may be called from any thread.
class shared_tier {
 public:
  shared_tier(std::unique_ptr<shared_driver> driver, const store_params& params,
              std::unique_ptr<fallback_store> fallback = nullptr);

  bool is_asynchronous() const noexcept { return way_.is_asynchronous(); }
  void close() noexcept { way_.close(); }

  using looks = std::vector<shared_look>;

  shared_look find(std::string_view key, const deadline& until);
  looks find_many(const std::vector<std::string>& keys, const deadline& until);
  shared_look claim(std::string_view key, const deadline& until);
  void start_find(std::string_view key, const deadline& until, std::stop_token stop,
                  std::function<void(shared_look)> then);
  void start_find_many(std::vector<std::string> keys, const deadline& until, std::stop_token stop,
                       std::function<void(looks)> then);
  void start_claim(std::string_view key, const deadline& until,
                   std::function<void(shared_look)> then);

  shared_fill fill(const file_entry& entry, const std::string& expected, const deadline& until);
  void start_fill(const file_entry& entry, const std::string& expected, const deadline& until,
                  std::function<void(shared_fill)> then);

  /// For each item whether it is there now. Where it is not, nothing else is, or it is owed.
  std::vector<bool> put(std::vector<shared_item> items, const deadline& until);
  void start_put(std::vector<shared_item> items, const deadline& until, std::stop_token stop,
                 std::function<void(std::vector<bool>, bool is_cancelled)> then);

  /// These throw, or say, what kept the server from doing it; it is owed then.
  void erase(std::vector<std::string> keys, const deadline& until);
  void clear(const deadline& until);
  void start_erase(std::vector<std::string> keys, const deadline& until, std::stop_token stop,
                   std::function<void(std::optional<error>)> then);
  void start_clear(const deadline& until, std::stop_token stop,
                   std::function<void(std::optional<error>)> then);

  /// To be erased before it is read again.
  void owe(std::string_view key) { way_.owe(key); }

  struct counts {
    counter expired, corrupt, found_aside;
  };
  const counts& counted() const noexcept { return counts_; }
  const shared_line& line() const noexcept { return way_.line(); }
  failover& way() noexcept { return way_; }
  const failover& way() const noexcept { return way_; }

  /// One item of an entry.
  shared_item item_of(const file_entry& entry) const;

 private:
  void start_claim_round(std::string key, const deadline& until, int rounds,
                         std::function<void(shared_look)> then);
  shared_look look_of(std::string_view key, std::optional<std::string>& bytes, bool is_aside);
  /// Nothing: it is worth another round.
  std::optional<shared_look> claim_of(const std::string& key, shared_result result);
  void note_damage(file_fault fault);
  looks looks_of(const std::vector<std::string>& keys, shared_result& result);

  failover way_;
  const std::chrono::microseconds fallback_ttl_;
  const entry_format format_;
  const clock& clock_;
  const log_sink log_;
  counts counts_;
};

}  // namespace scalekit::cache::detail

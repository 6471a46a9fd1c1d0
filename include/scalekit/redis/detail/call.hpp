#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/redis/detail/request.hpp"
#include "scalekit/redis/reply.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>

namespace scalekit::redis::detail {

class call;

/// Where a call is under way, for whoever gives it up.
class call_owner {
 public:
  call_owner() = default;
  virtual ~call_owner() = default;
  call_owner(const call_owner&) = delete;
  call_owner& operator=(const call_owner&) = delete;

  /// Finishes `c` with `why`, or errc::cancelled where that is null, unless it has ended. Any
  /// thread.
  virtual void abandon(const std::shared_ptr<call>& c, std::exception_ptr why) = 0;
};

/// What is still to come for what was sent.
struct answers {
  /// 0 while nothing is under way.
  std::uint32_t awaited = 0;
  /// Of a transaction: the first that was a refusal.
  std::unique_ptr<reply> refused = {};
  /// It was the transaction's beginning that was refused: its commands ran without it.
  bool is_untied = false;
};

/// A call on its way. It belongs to its lane from when it is submitted until it is settled, and
/// until its answers have come.
class call {
 public:
  explicit call(request r) : what(std::move(r)) {}
  virtual ~call() = default;
  call(const call&) = delete;
  call& operator=(const call&) = delete;

  /// Its owner is known, and it cannot end before this returns: it may begin to watch for stops.
  virtual void watch() {}

  /// It has ended, with a reply that is no error or with `failure`. Called once.
  virtual void finish(std::exception_ptr failure, reply&& answer) noexcept = 0;

  request what;
  time_point until{};
  /// When it was made.
  time_point since{};
  bool may_repeat = false;

  /// Set once, before watch().
  std::weak_ptr<call_owner> in;

  // Its lane's.

  /// When it was sent last.
  time_point sent_at{};
  /// Why it ended before it had come into the lane.
  std::exception_ptr stillborn;
  std::size_t weight = 0;
  answers to_come;
  std::uint8_t attempts = 0;
  /// By servers that were no master any more.
  std::uint8_t times_given_back = 0;
  bool has_arrived = false;
  bool is_settled = false;
};

using call_ptr = std::shared_ptr<call>;

/// Settles `c` with errc::cancelled, later and in its lane, unless it was settled.
SCALEKIT_EXPORT void cancel(const call_ptr& c);

/// Goes on with the error of a reply that did not become the type that was wanted, which then names
/// the command and the server.
[[noreturn]] SCALEKIT_EXPORT void rethrow_conversion(const std::string& command,
                                                     const std::string& server);

}  // namespace scalekit::redis::detail

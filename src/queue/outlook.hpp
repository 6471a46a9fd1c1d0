#pragma once

#include "queue/poll_pace.hpp"
#include "scalekit/core/clock.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace scalekit::queue::detail {

/// What a worker expects to find in the queue, and so when it looks or claims.
///
/// A look is a read, and costs nearly nothing; a claim takes the database's writer. So a worker
/// claims when it was told of jobs, when its last claim was filled to the brim, or when a look has
/// found something; and looks at a pace that slows down while nothing happens.
class outlook {
 public:
  outlook(std::chrono::nanoseconds least, std::chrono::nanoseconds most) noexcept
      : least_(least), pace_(least, most) {}

  bool expecting() const noexcept { return expecting_; }
  time_point look_at() const noexcept { return look_at_; }
  time_point not_before() const noexcept { return not_before_; }

  /// Jobs have been enqueued.
  void told() noexcept {
    expecting_ = true;
    from_look_ = false;
    pace_.quicken();
  }

  /// Jobs may be enqueued any moment.
  void forewarned(time_point now) noexcept {
    pace_.quicken();
    due(now + least_);
  }

  /// A job becomes claimable at `when`.
  void due(time_point when) noexcept { look_at_ = std::min(look_at_, when); }

  /// A claim is under way: what is told from now on may come too late for it.
  void claiming() noexcept { expecting_ = false; }

  void claimed(std::size_t got, std::size_t wanted, time_point now, std::uint64_t random) noexcept {
    if (got == wanted) {
      told();
      return;
    }
    if (got > 0) pace_.quicken();
    // A look tells when the next delayed job is due. But where a look has promised jobs and a claim
    // got none, looking again at once would go on for ever.
    look_at_ = got == 0 && from_look_ ? now + pace_.next(random) : now;
    from_look_ = false;
  }

  void looked(bool found, std::optional<std::chrono::nanoseconds> due_in, time_point now,
              std::uint64_t random) noexcept {
    if (found) {
      expecting_ = true;
      from_look_ = true;
      return;
    }
    look_at_ = now + pace_.next(random);
    if (due_in) due(now + std::max(*due_in, std::chrono::nanoseconds::zero()));
  }

  /// The database has failed: nothing before `when`.
  void failed(time_point when) noexcept {
    expecting_ = true;
    not_before_ = when;
  }

 private:
  std::chrono::nanoseconds least_;
  poll_pace pace_;
  bool expecting_ = true;
  bool from_look_ = false;
  time_point look_at_{};
  time_point not_before_{};
};

}  // namespace scalekit::queue::detail

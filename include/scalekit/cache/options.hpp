#pragma once

#include "scalekit/core/deadline.hpp"

#include <chrono>
#include <optional>
#include <stop_token>
#include <utility>

namespace scalekit::cache {

/// Options of one call.
struct call_options {
  /// The longest that a call waits: for another caller's load of the same key, and for another
  /// writer of it. Default 5 s. Range 0 to 24 h; 0 does only what is possible without waiting. A
  /// blocking call that runs its own loader lasts as long as the loader does: see load_context.
  std::chrono::nanoseconds timeout = std::chrono::seconds(5);

  /// Whether get() may return a value that is past its ttl, as freshness::stale, where one is kept
  /// for policy::stale_for. Default false: it is a miss. get_or_load() goes by its policy.
  bool allow_stale = false;
};

/// What a loader may ask for as its argument: `[&](const cache::load_context& c) { ... }`.
class load_context {
 public:
  load_context(std::stop_token asked_to_stop, deadline end)
      : stop(std::move(asked_to_stop)), until(end) {}

  /// Stop is requested when nobody waits for the load any more, unless it refreshes what is served
  /// stale or ahead of time; when policy::load_timeout has passed; when the store is closed. A load
  /// that others joined goes on when the caller who began it gives up.
  std::stop_token stop;
  /// The deadline of the call that began the load, or that of policy::load_timeout if it is
  /// earlier, to hand down to what it calls.
  deadline until;

  /// Keeps what is being loaded, a value or its absence, for `ttl` rather than for the policy's;
  /// jitter applies, stale_for is added. 0: it is not kept. Of several calls the last counts. Range
  /// 0 to 366 days; what is beyond is cut.
  void keep_for(std::chrono::milliseconds ttl) const noexcept { ttl_ = ttl; }
  const std::optional<std::chrono::milliseconds>& own_ttl() const noexcept { return ttl_; }

 private:
  mutable std::optional<std::chrono::milliseconds> ttl_;
};

}  // namespace scalekit::cache

#pragma once

#include "scalekit/core/deadline.hpp"

#include <chrono>
#include <stop_token>

namespace scalekit::cache {

/// Options of one call.
struct call_options {
  /// The longest that a call waits: for another caller's load of the same key, and for another
  /// writer of it. Default 5 s. Range 0 to 24 h; 0 does only what is possible without waiting. A
  /// blocking call that runs its own loader lasts as long as the loader does: see load_context.
  std::chrono::nanoseconds timeout = std::chrono::seconds(5);
};

/// What a loader may ask for as its argument: `[&](const cache::load_context& c) { ... }`.
struct load_context {
  /// Stop is requested when nobody waits for the load any more, or the store is closed. A load
  /// that others joined goes on when the caller who began it gives up.
  std::stop_token stop;
  /// The deadline of the call that began the load, to hand down to what it calls.
  deadline until;
};

}  // namespace scalekit::cache

#include "cache/redis_ear.hpp"

#include <chrono>
#include <utility>

namespace scalekit::cache::detail {

using namespace std::chrono_literals;

redis_ear::redis_ear(const store_params& params, listener to)
    : names_(params.shared_namespace),
      to_(std::move(to)),
      subscriber_(params.shared,
                  {.tracked_prefixes = {names_.entries, names_.epoch},
                   .on_invalidated = [this](const redis::invalidation& i) { tell(i); },
                   .on_gap = [this](const redis::subscription_gap&) { to_.on_anything(); },
                   .check_interval = 2s,
                   .log = params.log},
                  params.execution) {}

void redis_ear::tell(const redis::invalidation& changed) const {
  if (changed.is_everything) return to_.on_anything();
  for (const auto name : changed.keys) {
    if (name == names_.epoch) {
      to_.on_anything();
    } else if (name.starts_with(names_.entries)) {
      to_.on_change(name.substr(names_.entries.size()));
    }
  }
}

}  // namespace scalekit::cache::detail

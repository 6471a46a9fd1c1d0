#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/db/shards_params.hpp"

namespace scalekit::db::detail {

/// What a call does about the age of the map that it goes by.
enum class map_age {
  fresh,
  /// To be looked up, while calls go on by it.
  due,
  /// Not to be used before it was looked up.
  expired,
};

/// `confirmed`: when the lookup began that found it to be the newest; `next_lookup`: not before.
constexpr map_age age_of(time_point confirmed, time_point next_lookup, const shards_params& params,
                         time_point now) noexcept {
  if (now - confirmed >= params.lease) return map_age::expired;
  return now >= next_lookup ? map_age::due : map_age::fresh;
}

}  // namespace scalekit::db::detail

#include "db/pool/pool_settings.hpp"

#include "core/require.hpp"

#include <chrono>
#include <string>

namespace scalekit::db {

using namespace std::chrono_literals;

namespace detail {

const settings_schema<pool_params>& pool_settings() {
  using p = pool_params;
  static const auto schema =
      settings_schema<p>("pool_params")
          .field("min", &p::min, 0, 10'000, "Connections kept open once the pool is used")
          .field("max", &p::max, 1, 10'000, "Connections at most")
          .field("create_timeout", &p::create_timeout, 1ms, 1h, "For opening one")
          .field("destroy_timeout", &p::destroy_timeout, 1ms, 1h,
                 "For closing one, or bringing it back into order")
          .field("idle_timeout", &p::idle_timeout, 0ms, 24h,
                 "Those above min that were unused this long are closed; 0: never")
          .field("reap_interval", &p::reap_interval, 1ms, 1h,
                 "How often idle, old and leaked ones are looked for")
          .field("create_retry_interval", &p::create_retry_interval, 1ms, 1h,
                 "Before dialing again after a failure; doubles up to ten times this")
          .field("health_check_interval", &p::health_check_interval, 0ms, 24h,
                 "One that idles this long is asked for a sign of life; 0: never")
          .field("max_lifetime", &p::max_lifetime, 0ms, 720h,
                 "Replaced at an age of half of this to all of it; 0: never")
          .field("max_dials", &p::max_dials, 1, 100, "Opened at the same time, at most")
          .field("adaptive", &p::adaptive, "Whether the size follows the use")
          .field("grow_above", &p::grow_above, 0.1, 1.0,
                 "Share in use above which it grows while callers wait; 1: never")
          .field("shrink_below", &p::shrink_below, 0.0, 0.9,
                 "Share in use below which it shrinks; 0: never")
          .field("grow_after", &p::grow_after, 1ms, 1h, "What grow_above is averaged over")
          .field("shrink_after", &p::shrink_after, 1ms, 24h, "What shrink_below is averaged over")
          .field("shed_target", &p::shed_target, 0ms, 1h,
                 "The longest wait that is still good; 0: nobody is shed for a long wait")
          .field("shed_interval", &p::shed_interval, 1ms, 1h,
                 "Without a good wait for this long, those of twice the target are shed")
          .field("leak_after", &p::leak_after, 0ms, 24h,
                 "One lent for this long is reported; 0: never")
          .field("fleet_budget", &p::fleet_budget,
                 "Whether the clients of a server share what it gives out evenly");
  return schema;
}

}  // namespace detail

void validate(const pool_params& params) {
  using scalekit::detail::require;
  detail::pool_settings().validate(params);
  require(params.min <= params.max, "pool_params.min", std::to_string(params.min),
          "0 to max (" + std::to_string(params.max) + ")");
  require(params.shrink_below < params.grow_above, "pool_params.shrink_below",
          std::to_string(params.shrink_below),
          "less than grow_above (" + std::to_string(params.grow_above) + ")");
}

}  // namespace scalekit::db

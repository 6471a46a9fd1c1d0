#include "scalekit/limit/rule_settings.hpp"

#include "limit/rule_ranges.hpp"

namespace scalekit::limit {

const settings_schema<rule>& rule_settings() {
  using r = rule;
  static const auto schema =
      settings_schema<r>("limit::rule")
          .field("limit", &r::limit, 1, detail::most_calls, "Calls per `per`")
          .field("per", &r::per, detail::least_per, detail::most_per, "In which time")
          .field("burst", &r::burst, 1, detail::most_calls, "What an idle key may spend at once")
          .or_zero(&r::burst, "as `limit`")
          .field("cost", &r::cost, 1, detail::most_calls, "What one call costs; at most the burst")
          .field("max_keys", &r::max_keys, detail::least_keys, detail::most_keys,
                 "Keys that are remembered; 28 bytes each");
  return schema;
}

}  // namespace scalekit::limit

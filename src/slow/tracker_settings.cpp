#include "scalekit/slow/tracker_settings.hpp"

#include <chrono>

namespace scalekit::slow {

using namespace std::chrono_literals;

const settings_schema<tracker_params>& tracker_settings() {
  using p = tracker_params;
  static const auto schema =
      settings_schema<p>("tracker_params")
          .field("slow_threshold", &p::slow_threshold, 0ns, 1h,
                 "A call that takes this long is logged; 0: every call")
          .field("slow_log_per_second", &p::slow_log_per_second, 1, 1'000'000,
                 "Slow calls logged a second; the rest is counted")
          .field("max_statements", &p::max_statements, 1, 100'000,
                 "Statements told apart; the others are counted together")
          .field("max_texts", &p::max_texts, 16, 1'000'000,
                 "Texts remembered, so that they are not normalised again")
          .field("n_plus_one_threshold", &p::n_plus_one_threshold, 2, 1'000'000,
                 "Calls of one statement from one place within a request that are a finding")
          .or_zero(&p::n_plus_one_threshold, "off")
          .field("n_plus_one_window", &p::n_plus_one_window, 1ms, 1h,
                 "Calls further apart are not of one request");
  return schema;
}

}  // namespace scalekit::slow

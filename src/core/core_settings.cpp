#include "scalekit/core/core_settings.hpp"

namespace scalekit {

using namespace std::chrono_literals;

const settings_schema<backoff_params>& backoff_settings() {
  using p = backoff_params;
  static const auto schema =
      settings_schema<p>("backoff_params")
          .field("base", &p::base, 0ms, 720h, "The longest pause after the first failure")
          .field("cap", &p::cap, 0ms, 720h, "No pause is longer; not below `base`")
          .choice("kind", &p::kind,
                  {{"exponential", backoff_kind::exponential}, {"linear", backoff_kind::linear}},
                  "How the pause grows with each failure in a row")
          .field("factor", &p::factor, 1, 10, "Growth of the exponential kind")
          .field("full_jitter", &p::full_jitter, "Draw the pause between 0 and its bound");
  return schema;
}

const settings_schema<circuit_breaker_params>& circuit_breaker_settings() {
  using p = circuit_breaker_params;
  static const auto schema =
      settings_schema<p>("circuit_breaker_params")
          .field("name", &p::name, "What it guards, for messages and logs")
          .field("consecutive_failures", &p::consecutive_failures, 0, 1'000'000,
                 "Opens after this many failures in a row; 0: not looked at")
          .field("failure_ratio", &p::failure_ratio, 0, 1,
                 "Opens at this share of failures in `window`; 0: not looked at")
          .field("min_throughput", &p::min_throughput, 1, 1'000'000,
                 "Calls in `window` before the ratio counts")
          .field("window", &p::window, 10ms, 1h, "What the ratio is taken over")
          .nested("pause", &p::pause, backoff_settings())
          .field("probes", &p::probes, 1, 16, "Calls at a time while half open")
          .field("probe_deadline", &p::probe_deadline, 1ms, 1h,
                 "A probe silent for longer has failed");
  return schema;
}

const settings_schema<work_pool_params>& work_pool_settings() {
  using p = work_pool_params;
  static const auto schema =
      settings_schema<p>("work_pool_params")
          .field("threads", &p::threads, 1, 1024, "Threads for calls that block")
          .field("max_queued", &p::max_queued, 1, 1'000'000,
                 "Tasks that may wait; one more is shed")
          .field("name", &p::name, "Name of the threads, at most 15 bytes");
  return schema;
}

const settings_schema<runtime_params>& runtime_settings() {
  using p = runtime_params;
  static const auto schema =
      settings_schema<p>("runtime_params")
          .field("threads", &p::threads, 1, 256, "Event loops, a thread each")
          .nested("work", &p::work, work_pool_settings());
  return schema;
}

}  // namespace scalekit

#include "scalekit/queue/queue_settings.hpp"

#include "core/byte_units.hpp"
#include "queue/checks.hpp"
#include "scalekit/core/core_settings.hpp"

#include <chrono>
#include <cstddef>

namespace scalekit::queue {

using namespace std::chrono_literals;

using scalekit::detail::gib, scalekit::detail::kib, scalekit::detail::mib;

const settings_schema<queue_params>& queue_settings() {
  using p = queue_params;
  static const auto schema =
      settings_schema<p>("queue_params")
          .field("table_prefix", &p::table_prefix, "Begins the name of every table")
          .field("max_attempts", &p::max_attempts, 1, 1000, "Attempts that may end in an error")
          .bytes("max_payload_bytes", &p::max_payload_bytes, 0, 64 * mib,
                 "Larger payloads are refused")
          .field("high_lead", &p::high_lead, 0ms, 24h,
                 "A high job is claimed as if enqueued this much earlier")
          .field("low_lag", &p::low_lag, 0ms, 24h,
                 "A low job is claimed as if enqueued this much later")
          .field("strict_priority", &p::strict_priority,
                 "A higher priority always goes first; low jobs may starve")
          .field("call_timeout", &p::call_timeout, 1ms, 1h, "For one call");
  return schema;
}

const settings_schema<worker_params>& worker_settings() {
  using p = worker_params;
  static const auto schema =
      settings_schema<p>("worker_params")
          .field("concurrency", &p::concurrency, 1, 1024, "Handlers that run at the same time")
          .nested("retry", &p::retry, backoff_settings())
          .field("attempt_timeout", &p::attempt_timeout, detail::least_attempt_timeout,
                 detail::most_attempt_timeout, "For one attempt")
          .field("max_crashes", &p::max_crashes, 2, 1000,
                 "Workers that may die with a job before it is a dead letter")
          .field("heartbeat_interval", &p::heartbeat_interval, 10ms, 60s,
                 "How often the worker says that it is alive")
          .field("stale_after", &p::stale_after, 30ms, 1h,
                 "A worker silent for so long is dead; at least 3 heartbeat intervals")
          .field("max_batch", &p::max_batch, 1, 4096,
                 "Most jobs claimed, or finished, in one transaction")
          .bytes("max_claim_bytes", &p::max_claim_bytes, 64 * kib, gib,
                 "Most payload claimed in one transaction")
          .field("max_prefetch_age", &p::max_prefetch_age, 10ms, 1h,
                 "A claimed job without a free thread for so long is given back")
          .field("poll_least", &p::poll_least, 1ms, 60s, "Between two looks of an idle worker")
          .field("poll_most", &p::poll_most, 1ms, 60s,
                 "It doubles up to this while nothing is found")
          .field("stop_timeout", &p::stop_timeout, 0ms, 1h, "What the destructor waits");
  return schema;
}

}  // namespace scalekit::queue

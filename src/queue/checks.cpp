#include "queue/checks.hpp"

#include "core/require.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/settings_text.hpp"
#include "scalekit/queue/queue_settings.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>

namespace scalekit::queue::detail {

using namespace std::chrono_literals;
using scalekit::detail::require;
using scalekit::detail::require_range;

namespace {

constexpr std::string_view legal_name = "1 to 128 bytes without control characters";
constexpr std::chrono::microseconds longest_delay = std::chrono::days{3650};

bool is_prefix(std::string_view prefix) noexcept {
  const auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !prefix.empty() && prefix.size() <= 32 && !(prefix[0] >= '0' && prefix[0] <= '9') &&
         std::all_of(prefix.begin(), prefix.end(), legal);
}

void check(bool holds, errc code, std::string message) {
  if (!holds) throw error(code, std::move(message));
}

}  // namespace

bool is_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 128 && std::none_of(name.begin(), name.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u < 0x20 || u == 0x7f;
  });
}

void validate(const queue_params& p) {
  queue_settings().validate(p);
  require(is_prefix(p.table_prefix), "queue_params.table_prefix", p.table_prefix,
          "1 to 32 of a-z, 0-9 and _, not beginning with a digit");
  require(p.clock != nullptr, "queue_params.clock", "null", "a clock");
}

void validate_timeout(std::chrono::nanoseconds timeout, std::string_view field) {
  require_range(field, timeout, least_attempt_timeout, most_attempt_timeout);
}

void validate(const worker_params& p) {
  worker_settings().validate(p);
  require(!p.queues.empty() && p.queues.size() <= 64, "worker_params.queues",
          std::to_string(p.queues.size()) + " names", "1 to 64");
  for (const auto& name : p.queues) {
    require(is_name(name), "worker_params.queues", name, legal_name);
  }
  require(std::set<std::string>(p.queues.begin(), p.queues.end()).size() == p.queues.size(),
          "worker_params.queues", "a name twice", "each once");
  scalekit::validate(p.retry, "worker_params.retry");
  require(p.stale_after >= 3 * p.heartbeat_interval, "worker_params.stale_after",
          format_duration(p.stale_after),
          "at least 3 heartbeat intervals (" + format_duration(3 * p.heartbeat_interval) + ")");
  require(p.poll_most >= p.poll_least, "worker_params.poll_most", format_duration(p.poll_most),
          "at least poll_least (" + format_duration(p.poll_least) + ")");
}

void check_job(std::string_view kind, std::string_view payload, const enqueue_options& options,
               const queue_params& params) {
  check(is_name(kind), errc::invalid_argument,
        "the kind of a job has " + std::to_string(kind.size()) +
            " bytes or a control character; legal: " + std::string(legal_name));
  check(is_name(options.queue), errc::invalid_argument,
        "enqueue_options.queue has " + std::to_string(options.queue.size()) +
            " bytes or a control character; legal: " + std::string(legal_name));
  check(options.run_in >= 0us && options.run_in <= longest_delay, errc::invalid_argument,
        "enqueue_options.run_in is " + std::to_string(options.run_in.count()) +
            " us; legal: 0 to 10 years");
  check(options.max_attempts >= 0 && options.max_attempts <= 1000, errc::invalid_argument,
        "enqueue_options.max_attempts is " + std::to_string(options.max_attempts) +
            "; legal: 0 (the queue's) to 1000");
  check(options.priority >= job_priority::high && options.priority <= job_priority::low,
        errc::invalid_argument, "enqueue_options.priority is none of high, normal and low");
  check(payload.size() <= params.max_payload_bytes, errc::too_large,
        "the payload of a job of kind " + std::string(kind) + " has " +
            std::to_string(payload.size()) + " bytes; queue_params.max_payload_bytes is " +
            std::to_string(params.max_payload_bytes));
}

}  // namespace scalekit::queue::detail

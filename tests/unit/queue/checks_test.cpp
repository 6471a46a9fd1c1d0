#include "queue/checks.hpp"

#include "queue/json_list.hpp"
#include "scalekit/core/error.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace scalekit;
using namespace scalekit::queue;
using namespace std::chrono_literals;

namespace {

template <class Params>
std::string complaint(const std::function<void(Params&)>& spoil) {
  Params p;
  spoil(p);
  try {
    queue::detail::validate(p);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

errc code_of(std::string_view kind, std::string_view payload, const enqueue_options& options) {
  try {
    queue::detail::check_job(kind, payload, options, {.max_payload_bytes = 10});
  } catch (const error& e) {
    return static_cast<errc>(e.code().value());
  }
  return errc{};
}

}  // namespace

TEST_CASE("the defaults are legal") {
  CHECK(complaint<queue_params>([](auto&) {}).empty());
  CHECK(complaint<worker_params>([](auto&) {}).empty());
}

TEST_CASE("a setting of the queue that cannot work is named, with its value and its range") {
  const auto says = complaint<queue_params>;
  CHECK(says([](auto& p) { p.max_attempts = 0; }) ==
        "queue_params.max_attempts is 0; legal: 1 to 1000");
  CHECK(says([](auto& p) { p.table_prefix = "Robert'); drop"; }).find("table_prefix") !=
        std::string::npos);
  CHECK(says([](auto& p) { p.table_prefix = ""; }).find("table_prefix") != std::string::npos);
  CHECK(says([](auto& p) { p.table_prefix = "1st_"; }).find("table_prefix") != std::string::npos);
  CHECK(says([](auto& p) { p.high_lead = -1ms; }).find("high_lead") != std::string::npos);
  CHECK(says([](auto& p) { p.low_lag = 25h; }).find("low_lag") != std::string::npos);
  CHECK(says([](auto& p) { p.call_timeout = 0ms; }).find("call_timeout") != std::string::npos);
  CHECK(says([](auto& p) { p.clock = nullptr; }).find("clock") != std::string::npos);
}

TEST_CASE("a setting of the worker that cannot work is named") {
  const auto says = complaint<worker_params>;
  CHECK(says([](auto& p) { p.concurrency = 0; }) ==
        "worker_params.concurrency is 0; legal: 1 to 1024");
  CHECK(says([](auto& p) { p.queues = {}; }).find("queues") != std::string::npos);
  CHECK(says([](auto& p) { p.queues = {"a", "a"}; }).find("each once") != std::string::npos);
  CHECK(says([](auto& p) { p.queues = {"a\nb"}; }).find("queues") != std::string::npos);
  CHECK(says([](auto& p) { p.retry.cap = 1s; }).find("worker_params.retry") != std::string::npos);
  CHECK(says([](auto& p) { p.attempt_timeout = 1ms; }).find("attempt_timeout") !=
        std::string::npos);
  CHECK(says([](auto& p) { p.max_crashes = 1; }).find("max_crashes") != std::string::npos);
  CHECK(says([](auto& p) { p.stale_after = 4s; }) ==
        "worker_params.stale_after is 4 s; legal: at least 3 heartbeat intervals (9 s)");
  CHECK(says([](auto& p) { p.max_batch = 5000; }).find("max_batch") != std::string::npos);
  CHECK(says([](auto& p) { p.max_claim_bytes = 1; }) ==
        "worker_params.max_claim_bytes is 1 B; legal: 64 KiB to 1 GiB");
  CHECK(says([](auto& p) { p.poll_most = 1ms; }) ==
        "worker_params.poll_most is 1 ms; legal: at least poll_least (50 ms)");
}

TEST_CASE("what a job may be") {
  CHECK(code_of("send_email", "0123456789", {}) == errc{});
  CHECK(code_of("send_email", "0123456789x", {}) == errc::too_large);
  CHECK(code_of("", "", {}) == errc::invalid_argument);
  CHECK(code_of(std::string(128, 'k'), "", {}) == errc{});
  CHECK(code_of(std::string(129, 'k'), "", {}) == errc::invalid_argument);
  CHECK(code_of(std::string("a\0b", 3), "", {}) == errc::invalid_argument);
  CHECK(code_of("k", "", {.run_in = -1us}) == errc::invalid_argument);
  CHECK(code_of("k", "", {.run_in = 24h * 4000}) == errc::invalid_argument);
  CHECK(code_of("k", "", {.max_attempts = -1}) == errc::invalid_argument);
  CHECK(code_of("k", "", {.queue = ""}) == errc::invalid_argument);
  CHECK(code_of("k", "", {.priority = static_cast<job_priority>(7)}) == errc::invalid_argument);
}

TEST_CASE("lists are bound as JSON, quotes and backslashes escaped") {
  const std::vector<std::string> names{"plain", R"(a"b\c)"};
  queue::detail::json_numbers numbers;
  numbers.add(1);
  numbers.add(-20);
  queue::detail::json_pairs pairs;
  pairs.add(1, 2);
  pairs.add(3, 4);

  CHECK(queue::detail::json_strings(names) == R"(["plain","a\"b\\c"])");
  CHECK(queue::detail::json_strings({}) == "[]");
  CHECK(numbers.take() == "[1,-20]");
  CHECK(pairs.take() == R"({"1":2,"3":4})");
}

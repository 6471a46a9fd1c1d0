// The code of docs/core.md.

#include "scalekit/core.hpp"

#include "scalekit/testing/manual_clock.hpp"

#include <boost/asio/post.hpp>

#include <cassert>
#include <cstdio>
#include <iostream>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

int calls = 0;

/// A supplier's server that is down at first.
std::string fetch_price(int product) {
  if (++calls < 3) throw scalekit::error(scalekit::errc::unavailable, "connection refused");
  return "product " + std::to_string(product) + " costs 12.50";
}

void pause_for(std::chrono::nanoseconds) {}

//[guarded
std::string guarded_price(scalekit::circuit_breaker& breaker, int product) {
  auto permit = breaker.acquire();  // throws errc::breaker_open: nothing is sent
  try {
    auto price = fetch_price(product);
    permit.success();
    return price;
  } catch (const scalekit::error& e) {
    permit.report(e.code());  // a refusal is no outage, a timeout is
    throw;
  }
}
//]

//[retry
std::string price_with_retries(scalekit::circuit_breaker& breaker, int product,
                               scalekit::deadline until, scalekit::random_generator& random) {
  const scalekit::backoff_params retry{.base = 50ms, .cap = 2s};
  for (unsigned failures = 1;; ++failures) {
    try {
      return guarded_price(breaker, product);
    } catch (const scalekit::error& e) {
      const auto pause = backoff_delay(retry, failures, random);
      if (!is_transient(e) || pause > until.remaining()) throw;
      pause_for(pause);
    }
  }
}
//]

void errors() {
  //[errors
  try {
    fetch_price(42);
  } catch (const scalekit::error& e) {
    if (is_transient(e)) {
      // worth another try: see below
    }
    std::cerr << e.what() << '\n';                 // for the person at 3 a.m.
    std::cerr << e.diag().client_message << '\n';  // without the backend's own words
  }
  //]
}

void executors() {
  //[runtime
  scalekit::runtime runtime({.threads = 2, .work = {.threads = 4, .max_queued = 1000}});

  scalekit::execution exec = runtime.execution();  // what the clients of all rooms take
  //]
  exec.post_work([] {});

  //[marks
  boost::asio::post(runtime.next_loop(), [] {
    try {
      scalekit::io_thread_mark::check_blocking_allowed("client::read");
    } catch (const scalekit::error& e) {
      assert(e.code() == scalekit::errc::not_allowed);
    }
  });
  //]
}

void measuring() {
  //[histogram
  scalekit::histogram latency;  // shared by all threads

  const auto start = std::chrono::steady_clock::now();
  // ... the work ...
  latency.record(std::chrono::steady_clock::now() - start);

  auto last_minute = latency.snapshot();  // a value: merge it, subtract it, ask it
  auto now = latency.snapshot().since(last_minute);
  std::cout << last_minute.p99().count() << " ns, then " << now.count() << " more\n";
  //]
}

void tracing() {
  const std::string traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const std::string tracestate;
  scalekit::random_generator random(1);
  //[trace
  auto incoming = scalekit::trace_context::parse(traceparent, tracestate);
  auto trace = incoming ? *incoming : scalekit::trace_context::start(random);

  auto scope =
      scalekit::request_scope::begin("GET /products/:id", trace);  // goes into call options

  std::string header = scope.trace().child(random).traceparent();  // for a call to another service
  //]
  assert(header.size() == 55);
}

//[params
struct mailer_params {
  std::string host = "localhost";
  std::string password = {};
  std::chrono::milliseconds timeout = 10s;
  std::uint64_t max_bytes = 10u << 20;
  scalekit::backoff_params retry = {};
};

const scalekit::settings_schema<mailer_params>& mailer_settings() {
  using p = mailer_params;
  static const auto schema =
      scalekit::settings_schema<p>("mailer_params")
          .field("host", &p::host, "Where mail is handed over")
          .secret("password", &p::password, "For `host`")
          .field("timeout", &p::timeout, 1ms, 5min, "For one mail")
          .bytes("max_bytes", &p::max_bytes, 1024, 1u << 30, "Larger mails are refused")
          .nested("retry", &p::retry, scalekit::backoff_settings());
  return schema;
}
//]

void settings() {
  //[settings
  auto file = scalekit::settings_file::parse(R"({
    "mailer": { "host": "10.0.0.7", "retry": { "base": "2s" } }
  })",
                                             "shop.json");

  mailer_params params{.timeout = 5s};
  scalekit::settings_origins origins;
  file.apply("mailer", mailer_settings(), params, origins);
  file.require_all_used();  // "malier" would be an error here
  mailer_settings().set_from_query(params, "password=s3cret&max_bytes=1MiB", "MAILER_URL", origins);
  mailer_settings().validate(params);

  for (const auto& s : mailer_settings().describe(params, origins)) {
    std::cout << s.name << " = " << s.value << " (" << to_string(s.origin) << ")\n";
  }
  //]
  assert(params.retry.base == 2s);
  assert(params.timeout == 5s);
}

void logging() {
  //[log
  scalekit::log_sink sink(
      [](const scalekit::log_record& r) {
        std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(r.event.size()), r.event.data(),
                     static_cast<int>(r.message.size()), r.message.data());
      },
      scalekit::log_level::warning);
  //]
  sink(scalekit::log_level::warning, "core.example", "seen");
}

void virtual_time() {
  //[manual_clock
  scalekit::testing::manual_clock clock;
  scalekit::circuit_breaker breaker({.consecutive_failures = 1, .pause = {.base = 10s}}, clock);

  breaker.acquire().failure();
  assert(breaker.state() == scalekit::breaker_state::open);
  clock.advance(10s);

  assert(breaker.try_acquire());  // no test slept
  //]
}

}  // namespace

int main() {
  errors();
  executors();
  measuring();
  tracing();
  settings();
  logging();
  virtual_time();

  scalekit::circuit_breaker breaker;
  scalekit::random_generator random(1);
  const auto price = price_with_retries(breaker, 42, scalekit::deadline::after(5s), random);
  assert(price == "product 42 costs 12.50");
  std::cout << price << '\n';
}

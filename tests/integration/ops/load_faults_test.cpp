// What the load generator makes of servers that misbehave.

#include "integration/ops/test_server.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/execution.hpp"
#include "scalekit/ops/load_generator.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using namespace scalekit::ops;

namespace {

load_params params_for(const test_server& server, std::chrono::milliseconds duration, double rate) {
  return {.host = "127.0.0.1",
          .port = server.port(),
          .stages = {{.duration = duration, .rate = rate}},
          .arrivals = spacing::constant,
          .connections = 4,
          .timeout = 5s};
}

}  // namespace

TEST_CASE("a reset, a cut body and a foreign protocol are connection errors, and the run goes on") {
  std::atomic<int> n = 0;
  test_server server([&](const std::string&) -> script {
    switch (n++ % 4) {
      case 0:
        return {{}, script::finish::reset};
      case 1:
        return {{{0ms, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123"}}, script::finish::close};
      case 2:
        return {{{0ms, "SSH-2.0-OpenSSH\r\n\r\n"}}, script::finish::close};
      default:
        return script::status(200);
    }
  });

  auto report = load_generator(params_for(server, 500ms, 40)).run();

  auto& counts = report.total.counts;
  CHECK(counts.due == 20);
  CHECK(counts.sent == 20);
  CHECK(counts.connection_errors == 15);
  CHECK(counts.ok == 5);
  CHECK(report.reconnects >= 12);
}

TEST_CASE("a header section without end is given up") {
  test_server server([](const std::string&) {
    return script::reply("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'));
  });

  auto report = load_generator(params_for(server, 100ms, 20)).run();

  CHECK(report.total.counts.connection_errors == 2);
}

TEST_CASE("a server that never answers costs each request its timeout, waiting ones too") {
  test_server server([](const std::string&) { return script{}; });
  auto params = params_for(server, 200ms, 100);
  params.timeout = 300ms;

  auto report = load_generator(params).run();

  auto& counts = report.total.counts;
  CHECK(counts.due == 20);
  CHECK(counts.timeouts == 20);
  CHECK(counts.sent < 20);  // four connections, each taken until its request timed out
  CHECK(report.total.latency.p50 >= 290ms);
  CHECK(report.total.goodput == 0);
  CHECK(report.duration == 200ms);
}

TEST_CASE("the waiting room is bounded, and what does not fit is dropped and told") {
  test_server server([](const std::string&) { return script{}; });
  auto params = params_for(server, 200ms, 100);
  params.timeout = 500ms;
  params.max_waiting = 5;

  auto report = load_generator(params).run();

  CHECK(report.total.counts.dropped == 11);  // of 20, 4 fly and 5 wait
  CHECK(report.total.counts.timeouts == 9);
}

TEST_CASE("nobody listening is an error before the run starts") {
  std::uint16_t port = 0;
  {
    port = test_server([](const std::string&) { return script{}; }).port();
  }
  load_params params{.host = "127.0.0.1",
                     .port = port,
                     .stages = {{.duration = 10s, .rate = 10}},
                     .connections = 100};

  try {
    load_generator(params).run();
    FAIL("must throw");
  } catch (const scalekit::error& e) {
    CHECK(e.code() == scalekit::errc::unavailable);
    CHECK(std::string(e.what()).find("cannot connect to 127.0.0.1:" + std::to_string(port)) !=
          std::string::npos);
    CHECK(std::string(e.what()).find("(100 attempts)") != std::string::npos);
  }
}

TEST_CASE("a server that dies during the run is a finding, not an error") {
  auto server =
      std::make_unique<test_server>([](const std::string&) { return script::status(200); });
  auto params = params_for(*server, 600ms, 100);
  params.timeout = 200ms;
  int n = 0;
  params.source = [&](load_request&) {
    if (++n == 20) server.reset();
  };

  auto report = load_generator(params).run();

  auto& counts = report.total.counts;
  CHECK(counts.due == 60);
  CHECK(counts.ok >= 15);
  CHECK(counts.timeouts + counts.connection_errors >= 35);
  CHECK(report.connect_failures > 0);
}

TEST_CASE("what a callback throws ends the run and reaches the caller") {
  test_server server([](const std::string&) { return script::status(200); });
  auto params = params_for(server, 10s, 100);
  params.source = [](load_request&) { throw std::runtime_error("out of products"); };
  CHECK_THROWS_WITH_AS(load_generator(params).run(), "out of products", std::runtime_error);

  params.source = {};
  params.on_response = [](const load_response&) { throw std::runtime_error("wrong answer"); };
  CHECK_THROWS_WITH_AS(load_generator(params).run(), "wrong answer", std::runtime_error);
}

TEST_CASE("a request of an unknown kind or client is refused") {
  test_server server([](const std::string&) { return script::status(200); });
  auto params = params_for(server, 10s, 100);

  params.source = [](load_request& request) { request.kind = 1; };
  CHECK_THROWS_AS(load_generator(params).run(), std::invalid_argument);
  params.source = [](load_request& request) { request.client = 1; };
  CHECK_THROWS_AS(load_generator(params).run(), std::invalid_argument);
}

TEST_CASE("a blocking run on an I/O thread is refused") {
  test_server server([](const std::string&) { return script::status(200); });
  load_generator generator(params_for(server, 10s, 100));
  scalekit::io_thread_mark mark;

  CHECK_THROWS_AS(generator.run(), scalekit::error);
}

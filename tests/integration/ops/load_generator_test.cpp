#include "scalekit/ops/load_generator.hpp"

#include "integration/ops/test_server.hpp"
#include "scalekit/core/error.hpp"

#include <doctest/doctest.h>

#include <map>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using namespace scalekit::ops;

namespace {

load_params params_for(const test_server& server, std::vector<load_stage> stages) {
  return {.host = "127.0.0.1",
          .port = server.port(),
          .stages = std::move(stages),
          .connections = 8,
          .timeout = 5s};
}

std::uint64_t sum_of_outcomes(const load_counts& c) {
  return c.ok + c.redirected + c.limited + c.failed();
}

}  // namespace

TEST_CASE("every request of the schedule is sent and counted by what came back") {
  test_server server([](const std::string& target) {
    return script::status(static_cast<unsigned>(std::stoi(target.substr(1))));
  });
  const unsigned statuses[] = {200, 201, 304, 404, 429, 500};
  auto params = params_for(server, {{.duration = 300ms, .rate = 400}});
  params.arrivals = spacing::constant;
  params.kinds = {"good", "bad"};
  std::size_t n = 0;
  params.source = [&](load_request& request) {
    auto status = statuses[n++ % std::size(statuses)];
    request.kind = status < 300 ? 0 : 1;
    request.target = "/" + std::to_string(status);
  };

  auto report = load_generator(params).run();

  auto& total = report.total.counts;
  CHECK(total.due == 120);
  CHECK(total.sent == 120);
  CHECK(sum_of_outcomes(total) == 120);
  CHECK(report.kinds.at(0).counts.ok == 40);
  CHECK(report.kinds.at(1).counts.redirected == 20);
  CHECK(report.kinds.at(1).counts.client_errors == 20);
  CHECK(report.kinds.at(1).counts.limited == 20);
  CHECK(report.kinds.at(1).counts.server_errors == 20);
  CHECK(report.duration == 300ms);
  CHECK(server.requests() == 120);
  CHECK(server.connections() == 8);
  CHECK_FALSE(report.stopped);
}

TEST_CASE("responses of every framing are read to their end") {
  const std::map<std::string, script> answers = {
      {"/length", script::reply("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")},
      {"/chunked", script::reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")},
      {"/slow",
       {{{0ms, "HTTP/1.1 200 OK\r\nConte"}, {20ms, "nt-Length: 5\r\n\r\nhe"}, {20ms, "llo"}}}},
      {"/until-close", {{{0ms, "HTTP/1.1 200 OK\r\n\r\nhello"}}, script::finish::close}},
      {"/close",
       {{{0ms, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"}},
        script::finish::close}},
      {"/large", script::reply("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" +
                               std::string(1'000'000, 'x'))},
      {"/head", script::reply("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")},
  };
  test_server server([&](const std::string& target) { return answers.at(target); });
  auto params = params_for(server, {{.duration = 200ms, .rate = 350}});
  params.arrivals = spacing::constant;
  params.capture_bytes = 100;
  auto next = answers.begin();
  std::map<std::uint64_t, std::string> asked;
  params.source = [&](load_request& request) {
    if (next == answers.end()) next = answers.begin();
    request.tag = asked.size();
    request.target = asked[request.tag] = next->first;
    if (next->first == "/head") request.method = "HEAD";
    ++next;
  };
  std::map<std::string, std::string> bodies;
  params.on_response = [&](const load_response& response) {
    CHECK(response.outcome == load_outcome::ok);
    CHECK(response.status == 200);
    bodies[asked.at(response.tag)] = response.body;
  };

  auto report = load_generator(params).run();

  CHECK(report.total.counts.ok == 70);
  CHECK(report.reconnects >= 20);
  for (auto* target : {"/length", "/chunked", "/slow", "/until-close", "/close"}) {
    CAPTURE(target);
    CHECK(bodies[target] == "hello");
  }
  CHECK(bodies["/large"] == std::string(100, 'x'));
  CHECK(bodies["/head"].empty());
}

TEST_CASE("a large request body is written in as many pieces as the socket takes") {
  test_server server([](const std::string&) { return script::status(200); });
  auto params = params_for(server, {{.duration = 100ms, .rate = 20}});
  params.arrivals = spacing::constant;
  params.source = [](load_request& request) {
    request.method = "POST";
    request.body.assign(900'000, 'x');
  };

  auto report = load_generator(params).run();

  CHECK(report.total.counts.ok == 2);
}

TEST_CASE("each client has its own address, and its requests go out from there") {
  test_server server([](const std::string&) { return script::status(200); });
  auto params = params_for(server, {{.duration = 200ms, .rate = 500}});
  params.connections = 20;
  params.clients = 10;
  params.first_local_address = "127.0.1.1";
  std::size_t n = 0;
  params.source = [&](load_request& request) {
    request.client = n++ % 10;
    request.target = "/" + std::to_string(*request.client);
  };
  params.on_response = [](const load_response& response) { CHECK(response.client < 10); };

  auto report = load_generator(params).run();

  CHECK(report.total.counts.ok == report.total.counts.due);
  auto seen = server.targets_by_address();
  CHECK(seen.size() == 10);
  CHECK(seen["127.0.1.1"].count("/0") == 1);
  CHECK(seen["127.0.1.10"].count("/9") == 1);
  for (const auto& [address, targets] : seen) CHECK(targets.size() == 1);
}

// The server stops for 500 ms of a 2 s run. A quarter of the requests is due meanwhile; they wait
// between 0 and 500 ms, evenly. So the 95th percentile of all is where 20 % of that quarter
// is left: at 400 ms; the 99th at 480 ms. Only the 4 requests on their way, 0.5 % of all, see the
// stall in their service time.
TEST_CASE("a stall shows in the latencies of all requests that it delayed") {
  test_server server([](const std::string&) { return script::status(200); });
  auto params = params_for(server, {{.duration = 2s, .rate = 400}});
  params.arrivals = spacing::constant;
  params.connections = 4;
  server.stall(700ms, 500ms);

  auto report = load_generator(params).run();

  CHECK(report.total.counts.ok == 800);
  CHECK(report.total.latency.p95 > 390ms);
  CHECK(report.total.latency.p99 > 470ms);
  CHECK(report.total.latency.max > 490ms);
  CHECK(report.total.service.p95 < report.total.latency.p95 / 2);
  CHECK(report.total.service.max > 480ms);
}

TEST_CASE("a closed loop keeps every connection busy for the given time") {
  test_server server([](const std::string&) { return script::status(200); });
  auto params = params_for(server, {{.duration = 300ms}});
  params.closed_loop = true;
  params.connections = 4;
  params.source = [](load_request& request) { request.client = 1000; };  // not looked at

  auto report = load_generator(params).run();

  CHECK(report.total.counts.due > 4);
  CHECK(report.total.counts.ok == report.total.counts.due);
  CHECK(report.total.goodput > 0);
}

TEST_CASE("progress is told once a second") {
  test_server server([](const std::string&) { return script::status(200); });
  auto params = params_for(server, {{.duration = 1200ms, .rate = 50}});
  int calls = 0;
  params.on_progress = [&](const load_progress& progress) {
    ++calls;
    CHECK(progress.duration == 1200ms);
    CHECK(progress.elapsed >= 1s);
    CHECK(progress.counts.due > 0);
  };

  load_generator(params).run();

  CHECK(calls == 1);
}

TEST_CASE("a stop request ends the run at once") {
  test_server server([](const std::string&) { return script{}; });  // never answers
  auto params = params_for(server, {{.duration = 1h, .rate = 100}});
  std::stop_source stop;
  int left = 20;
  params.source = [&](load_request&) {
    if (--left == 0) stop.request_stop();
  };

  auto report = load_generator(params).run(stop.get_token());

  CHECK(report.stopped);
  CHECK(report.duration < 1min);
  CHECK(report.total.counts.dropped == report.total.counts.due);
}

TEST_CASE("a generator runs the same schedule again") {
  test_server server([](const std::string&) { return script::status(200); });
  load_generator generator(params_for(server, {{.duration = 200ms, .rate = 300}}));

  auto first = generator.run();
  auto second = generator.run();

  CHECK(first.total.counts.due > 0);
  CHECK(first.total.counts.due == second.total.counts.due);
}

TEST_CASE("settings that cannot work are refused with the field's name") {
  auto made_with = [](auto change) {
    load_params params{.host = "127.0.0.1", .port = 80, .stages = {{.duration = 1s, .rate = 1}}};
    change(params);
    load_generator generator(params);
  };

  CHECK_NOTHROW(made_with([](load_params&) {}));
  CHECK_THROWS_WITH(made_with([](load_params& p) { p.host = ""; }),
                    "load_params.host is ''; legal: an IP address or a name");
  CHECK_THROWS_AS(made_with([](load_params& p) { p.host = "a\r\nb"; }), std::invalid_argument);
  CHECK_THROWS_AS(made_with([](load_params& p) { p.port = 0; }), std::invalid_argument);
  CHECK_THROWS_AS(made_with([](load_params& p) { p.stages = {}; }), std::invalid_argument);
  CHECK_THROWS_AS(made_with([](load_params& p) { p.connections = 0; }), std::invalid_argument);
  CHECK_THROWS_AS(made_with([](load_params& p) { p.clients = 257; }), std::invalid_argument);
  CHECK_THROWS_AS(made_with([](load_params& p) { p.timeout = 0ms; }), std::invalid_argument);
  CHECK_THROWS_AS(made_with([](load_params& p) { p.kinds = {}; }), std::invalid_argument);
  CHECK_THROWS_AS(made_with([](load_params& p) { p.first_local_address = "::1"; }),
                  std::invalid_argument);
}

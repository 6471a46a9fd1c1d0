#include "phases.hpp"
#include "server_process.hpp"
#include "server_stats.hpp"
#include "shoppers.hpp"
#include "summary.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <sstream>
#include <stdexcept>
#include <stdlib.h>
#include <string>
#include <vector>

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr auto page = R"({
  "cache": {"enabled": true, "lookups": 200, "hit_ratio": 0.75},
  "queue": {"enabled": true, "ready": 1, "scheduled": 2, "running": 3, "dead": 4,
            "kinds": {"email": {"done": 10}, "payment": {"done": 20}}},
  "database": {"hosts": [
    {"name": "a:1", "role": "primary", "state": "primary", "reads": 3},
    {"name": "b:2", "role": "replica", "state": "replica, lag 2 ms", "reads": 5, "lag_us": 1500},
    {"name": "c:3", "role": "replica", "state": "unreachable for 4 s: refused\nIs it on?",
     "reads": 1, "lag_us": 0}]},
  "slow_statements": [{"sql": "select 1", "calls": 5, "total_ms": 7, "p95_us": 1500}],
  "n_plus_one": [{"sql": "select ?", "request": "GET /x", "called_from": "x.cpp:1",
                  "requests": 2, "most_calls": 30}]
})";

/// The words of each line, one blank between them: widths are for the eye.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string joined;
    for (std::string word; words >> word;) joined += (joined.empty() ? "" : " ") + word;
    lines.push_back(std::move(joined));
  }
  return lines;
}

/// A shell script in place of a server.
struct script {
  explicit script(const std::string& text) {
    std::string name = (fs::temp_directory_path() / "scalekit-demo-XXXXXX").string();
    dir = ::mkdtemp(name.data());
    arguments = {"-c", text};
  }
  ~script() { fs::remove_all(dir); }
  fs::path dir;
  std::vector<std::string> arguments;
};

}  // namespace

TEST_CASE("a statistics page is understood") {
  auto stats = demo::parse_stats(page);

  CHECK(stats.cache_lookups == 200);
  CHECK(stats.cache_hits == 150);
  CHECK(stats.jobs_open == 6);
  CHECK(stats.jobs_dead == 4);
  CHECK(stats.jobs_done.at("payment") == 20);
  CHECK(stats.slowest.at(0).p95_ms == 1.5);
  CHECK(stats.n_plus_one.at(0) == "GET /x: 30 times select ? (x.cpp:1)");
  CHECK_THROWS(demo::parse_stats("{}"));
  CHECK_THROWS(demo::parse_stats("<html>"));
}

TEST_CASE("each database server has a line") {
  auto text = demo::hosts_section("on", demo::parse_stats(page));

  CHECK(text ==
        "on: database servers\n"
        "  a:1                 primary          3 reads\n"
        "  b:2                 replica          5 reads, lag 1.5 ms\n"
        "  c:3                 replica          1 reads, unreachable for 4 s: refused\n");
  CHECK(demo::hosts_section("on", {}).empty());
}

TEST_CASE("the table has a column a run, and a row for each figure") {
  demo::phase_result off;
  off.title = "(b) off";
  off.load.duration = 10s;
  off.load.kinds.resize(2);
  auto& customers = off.load.kinds[0];
  customers.counts = {.due = 12'000, .limited = 7, .server_errors = 2, .timeouts = 3};
  customers.latency = {.p50 = 1500us, .p95 = 25ms, .p99 = 340ms};
  customers.goodput = 1199;
  auto on = off;
  on.title = "(c) on";
  on.load.generator_saturated = true;
  on.load.lateness.p99 = 4ms;
  on.load.kinds[1].counts = {.due = 500, .limited = 480};
  on.server = demo::parse_stats(page);

  auto lines = lines_of(demo::summary_table({off, on}));

  CHECK(lines == std::vector<std::string>{
                     "(b) off (c) on",
                     "customers' requests/s 1200 1200",
                     "goodput, 2xx/s 1199 1199",
                     "p50 ms 1.50 1.50",
                     "p95 ms 25 25",
                     "p99 ms 340 340",
                     "errors 5 5",
                     "of these timeouts 3 3",
                     "429s 7 7",
                     "abuser: requests 0 500",
                     "abuser: 429s 0 480",
                     "cache hits - 75.0 %",
                     "jobs done: email - 10",
                     "jobs done: payment - 20",
                     "generator late, p99 ms 0.00 4.00",
                     "NOTE: in (c) on the generator itself was late; its figures are too high.",
                 });
}

TEST_CASE("jobs are told by kind") {
  CHECK(demo::jobs_line(demo::parse_stats(page)) ==
        "jobs done in all, with those after the runs: email 10 payment 20\n");
}

TEST_CASE("the slowest statements and the pages with a query a row are told") {
  auto stats = demo::parse_stats(page);
  stats.slowest.push_back({std::string(100, 'x'), 1, 2, 3});

  auto lines = lines_of(demo::slow_section("on", stats));

  CHECK(lines == std::vector<std::string>{
                     "on: top statements by total time", "calls total ms p95 ms statement",
                     "5 7 1.50 select 1", "1 2 3.00 " + std::string(87, 'x') + "...",
                     "N+1 findings: 1", "GET /x: 30 times select ? (x.cpp:1)"});
}

TEST_CASE("a run in which the generator was late is made once more, not more often") {
  for (bool late : {false, true}) {
    CAPTURE(late);
    int goes = 0;

    auto result = demo::undisturbed([&] {
      demo::phase_result one;
      one.title = std::to_string(++goes);
      one.load.generator_saturated = late;
      return one;
    });

    CHECK(goes == (late ? 2 : 1));
    CHECK(result.title == std::to_string(goes));
  }
}

TEST_CASE("jobs are waited for as long as the demo has time, and never without end") {
  struct row {
    std::chrono::nanoseconds elapsed;
    std::chrono::seconds phase;
    int runs_left;
    std::chrono::seconds wait;
  };
  const std::vector<row> rows{
      {40s, 12s, 2, 60s},    // there is time enough
      {100s, 12s, 2, 40s},   // two runs of 15 s are to come, and the check
      {130s, 12s, 0, 40s},   //
      {175s, 12s, 0, 10s},   // late already: a last chance for the jobs
      {500s, 12s, 2, 10s},   //
      {100s, 2s, 2, 60s},    // short runs
      {1500s, 600s, 0, 60s}  // runs that are longer than the demo's three minutes
  };

  for (const auto& [elapsed, phase, runs_left, wait] : rows) {
    CAPTURE(elapsed.count());
    CHECK(demo::drain_time(elapsed, phase, runs_left) == wait);
  }
}

TEST_CASE("a run's figures are what was added since its beginning") {
  auto before = demo::parse_stats(page);
  auto after = before;
  after.cache_lookups += 100;
  after.jobs_done["email"] += 5;
  after.jobs_done["backup"] = 1;

  auto run = demo::since(before, after);

  CHECK(run.cache_lookups == 100);
  CHECK(run.jobs_done.at("email") == 5);
  CHECK(run.jobs_done.at("payment") == 0);
  CHECK(run.jobs_done.at("backup") == 1);
}

TEST_CASE("shoppers mostly look, sometimes order, and ask for what exists") {
  demo::catalogue shop{.products = {{1, "bolt"}, {2, "g++"}, {3, "nut"}},
                       .categories = {"steel & iron"}};
  demo::ledger book;
  demo::shoppers people(shop, book, 1);
  scalekit::ops::load_request request;
  std::map<std::string, int> seen;

  for (int i = 0; i < 20'000; ++i) {
    request.clear();
    people.next(request);
    auto path = request.target.substr(1, request.target.find_first_of("/?", 1) - 1);
    if (request.target.ends_with("/related")) path = "related";
    ++seen[path + (request.target.find('?') == std::string::npos ? "" : "?")];
    CHECK(*request.client < demo::shoppers::customers);
    if (!request.body.empty()) CHECK_NOTHROW(boost::json::parse(request.body));
    std::string wire;
    CHECK_NOTHROW(request.append_to(wire, "shop"));
  }

  CHECK(seen["products"] > 15'000);
  CHECK(seen["orders"] == doctest::Approx(100).epsilon(0.4));
  CHECK(seen["related"] == doctest::Approx(200).epsilon(0.3));
  CHECK(seen["search?"] == doctest::Approx(1400).epsilon(0.2));
  CHECK(seen["products?"] == doctest::Approx(1400).epsilon(0.2));
  CHECK(seen["retailers"] > 0);
  CHECK(seen["login"] > 0);
}

TEST_CASE("the abuser sends the share that it was given, from one client") {
  demo::catalogue shop{.products = {{1, "bolt"}}, .categories = {"steel"}};
  demo::ledger book;
  demo::shoppers people(shop, book, 1);
  people.set_abuse(0.25);
  scalekit::ops::load_request request;
  int abuse = 0;

  for (int i = 0; i < 10'000; ++i) {
    request.clear();
    people.next(request);
    if (request.kind != demo::shoppers::abuser) continue;
    ++abuse;
    CHECK(request.client == demo::shoppers::customers);
  }

  CHECK(abuse == doctest::Approx(2500).epsilon(0.1));
}

TEST_CASE("acknowledged orders are entered in the ledger and looked after") {
  demo::catalogue shop{.products = {{1, "bolt"}}, .categories = {"steel"}};
  demo::ledger book;
  demo::shoppers people(shop, book, 1);
  scalekit::ops::load_request request;
  bool looked_after = false;

  for (int i = 0; i < 5'000; ++i) {
    request.clear();
    people.next(request);
    looked_after = looked_after || request.target == "/orders/7";
    people.hear({.outcome = scalekit::ops::load_outcome::ok,
                 .status = 201,
                 .tag = request.tag,
                 .body = R"({"order_id":7,"job_id":"r1",
                             "jobs":{"payment":"p","inventory":"i","email":"e"}})"});
  }

  CHECK(book.orders().size() > 10);
  CHECK(book.orders().front().payment_job == "p");
  CHECK(book.unreadable() == 0);
  CHECK(looked_after);
}

TEST_CASE("a server is started, found by its port, and stopped") {
  script fake(
      "trap 'exit 0' TERM; echo importing; echo listening on 127.0.0.1:1234; "
      "while :; do sleep 0.02; done");
  demo::server_process server("/bin/sh", fake.arguments, fake.dir / "log");

  server.wait_until_listening(10s);
  server.stop(10s);

  CHECK(server.port() == 1234);
}

TEST_CASE("a server that ends by itself is told with the end of its log") {
  script fake("echo cannot open the shop >&2; exit 3");
  demo::server_process server("/bin/sh", fake.arguments, fake.dir / "log");

  CHECK_THROWS_WITH_AS(server.wait_until_listening(10s), doctest::Contains("cannot open the shop"),
                       std::runtime_error);
  CHECK_THROWS_AS(server.require_running(), std::runtime_error);
}

TEST_CASE("a server that does not end well is told") {
  script fake("trap 'exit 4' TERM; echo listening on 127.0.0.1:1; while :; do sleep 0.02; done");
  demo::server_process server("/bin/sh", fake.arguments, fake.dir / "log");
  server.wait_until_listening(10s);

  CHECK_THROWS_WITH_AS(server.stop(10s), doctest::Contains("did not end well"), std::runtime_error);
}

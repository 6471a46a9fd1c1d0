// The queue as its users see it, with a clock that is moved by hand.

#include "integration/queue/test_database.hpp"
#include "queue/engine.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db/client.hpp"
#include "scalekit/queue.hpp"
#include "scalekit/testing/manual_clock.hpp"
#include "support/throws_errc.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace scalekit;
using namespace std::chrono_literals;
namespace q = scalekit::queue;

namespace {

const std::vector<std::string> all_kinds{"low",  "normal",  "normal 1", "normal 2",
                                         "high", "now",     "later",    "theirs",
                                         "dead", "waiting", "real",     "ghost"};

struct fixture {
  test_database file;
  testing::manual_clock clock;
  db::client db = db::client::open(file.quick_url());
  q::queue jobs{db, {.max_payload_bytes = 1000, .clock = &clock}};
  std::unique_ptr<q::detail::engine> engine = q::detail::make_engine(db, "sk_", 5s);
  q::detail::worker_identity worker;

  fixture() {
    jobs.migrate();
    worker = engine->enlist(1, 10s, clock.wall_now());
  }

  /// Kinds in the order in which they are claimed, one at a time.
  std::vector<std::string> claim_order(std::size_t most = 100) {
    std::vector<std::string> kinds;
    const std::string name = "default";
    while (kinds.size() < most) {
      auto claimed = engine
                         ->turn({.who = worker,
                                 .claim = 1,
                                 .queues = {&name, 1},
                                 .kinds = all_kinds,
                                 .now = clock.wall_now()})
                         .claimed;
      if (claimed.empty()) break;
      kinds.push_back(claimed[0].kind);
    }
    return kinds;
  }
};

errc code_of(const auto& call) {
  try {
    call();
  } catch (const error& e) {
    return static_cast<errc>(e.code().value());
  }
  return errc{};
}

}  // namespace

TEST_CASE("high before normal before low, and in each the oldest first") {
  fixture f;
  f.jobs.enqueue("low", "", {.priority = q::low});
  f.jobs.enqueue("normal 1", "");
  f.clock.advance(1s);
  f.jobs.enqueue("normal 2", "");
  f.jobs.enqueue("high", "", {.priority = q::high});

  CHECK(f.claim_order() == std::vector<std::string>{"high", "normal 1", "normal 2", "low"});
}

TEST_CASE("a steady stream of high jobs does not starve the others") {
  fixture f;
  f.jobs.enqueue("normal", "");
  f.jobs.enqueue("low", "", {.priority = q::low});

  // Each minute two high jobs come in, and one job is done.
  std::vector<std::string> done;
  for (int minute = 0; minute < 60; ++minute) {
    f.jobs.enqueue("high", "", {.priority = q::high});
    f.jobs.enqueue("high", "", {.priority = q::high});
    done.push_back(f.claim_order(1).at(0));
    f.clock.advance(1min);
  }

  CHECK(std::count(done.begin(), done.end(), "normal") == 1);
  CHECK(std::count(done.begin(), done.end(), "low") == 1);
}

TEST_CASE("strict priority lets nothing pass a high job") {
  fixture f;
  q::queue strict(f.db, {.table_prefix = "strict_", .strict_priority = true, .clock = &f.clock});
  strict.migrate();
  auto engine = q::detail::make_engine(f.db, "strict_", 5s);
  f.engine = std::move(engine);
  f.worker = f.engine->enlist(1, 10s, f.clock.wall_now());
  strict.enqueue("low", "", {.priority = q::low});
  f.clock.advance(24h);
  strict.enqueue("normal", "");
  f.clock.advance(24h);
  strict.enqueue("high", "", {.priority = q::high});

  CHECK(f.claim_order() == std::vector<std::string>{"high", "normal", "low"});
}

TEST_CASE("queues with different prefixes share a database and nothing else") {
  fixture f;
  q::queue other(f.db, {.table_prefix = "other_", .clock = &f.clock});
  other.migrate();

  other.enqueue("theirs", "");

  CHECK(f.claim_order().empty());
  CHECK(other.stats().ready == 1);
  CHECK(f.jobs.stats().ready == 0);
}

TEST_CASE("a delayed job waits for its time") {
  fixture f;
  const auto id = f.jobs.enqueue("later", "", {.run_in = 5min});
  CHECK(f.claim_order().empty());
  CHECK(f.jobs.status(id)->state == q::job_state::scheduled);
  CHECK(f.jobs.status(id)->run_at == f.clock.wall_now() + 5min);

  f.clock.advance(5min);

  CHECK(f.claim_order() == std::vector<std::string>{"later"});
}

TEST_CASE("a clock that is set back only delays what is delayed") {
  fixture f;
  f.jobs.enqueue("now", "");
  f.jobs.enqueue("later", "", {.run_in = 1min});

  f.clock.set_wall(f.clock.wall_now() - 24h);
  CHECK(f.claim_order() == std::vector<std::string>{"now"});

  f.clock.advance(24h + 1min);
  CHECK(f.claim_order() == std::vector<std::string>{"later"});
}

TEST_CASE("a payload of 100 MB is refused by the default limit, and nothing is stored") {
  fixture f;
  q::queue jobs(f.db, {.clock = &f.clock});

  auto e = support::error_of([&] { jobs.enqueue("report", std::string(100 << 20, 'x')); });

  CHECK(e.code() == errc::too_large);
  CHECK(std::string(e.what()).find("104857600 bytes; queue_params.max_payload_bytes is 1048576") !=
        std::string::npos);
  CHECK(jobs.stats().ready == 0);
}

TEST_CASE("a payload that is too large is refused with its size and the limit") {
  fixture f;
  f.jobs.enqueue("report", std::string(1000, 'x'));

  try {
    f.jobs.enqueue("report", std::string(1001, 'x'));
    FAIL("must throw");
  } catch (const error& e) {
    CHECK(e.code() == errc::too_large);
    CHECK(e.diag().client_message ==
          "the payload of a job of kind report has 1001 bytes; "
          "queue_params.max_payload_bytes is 1000");
  }
  CHECK(f.jobs.stats().ready == 1);
}

TEST_CASE("of many requests, one that is wrong stores none") {
  fixture f;
  std::vector<q::job_request> requests(3, {.kind = "k", .payload = "p"});
  requests[2].kind = "";

  CHECK(code_of([&] { f.jobs.enqueue_many(requests); }) == errc::invalid_argument);
  CHECK(f.jobs.stats().ready == 0);

  requests[2].kind = "k";
  CHECK(f.jobs.enqueue_many(requests).size() == 3);
  CHECK(f.jobs.stats().ready == 3);
  CHECK(f.jobs.enqueue_many({}).empty());
}

TEST_CASE("a job and the row it belongs to are stored together") {
  fixture f;
  f.db.write(db::sql("create table orders (id integer primary key)"));

  CHECK_THROWS(f.db.transaction([&](db::transaction& tx) {
    tx.write(db::sql("insert into orders (id) values (1)"));
    f.jobs.enqueue(tx, "confirm", "1");
    throw std::runtime_error("out of stock");
  }));
  CHECK(f.jobs.stats().ready == 0);

  const auto id = f.db.transaction([&](db::transaction& tx) {
    tx.write(db::sql("insert into orders (id) values (2)"));
    return f.jobs.enqueue(tx, "confirm", "2");
  });
  CHECK(f.jobs.status(id)->state == q::job_state::ready);
}

TEST_CASE("an event loop can enqueue and ask") {
  fixture f;

  const auto id =
      f.jobs.async_enqueue("k", "p", {.priority = q::high}, boost::asio::use_future).get();
  const auto status = f.jobs.async_status(id, boost::asio::use_future).get();

  REQUIRE(status);
  CHECK(status->kind == "k");
  CHECK(status->priority == q::high);
}

TEST_CASE("a redriven job takes its place among the new ones of its priority") {
  fixture f;
  const auto id = f.jobs.enqueue("dead", "");
  f.jobs.enqueue("waiting", "", {.run_in = 1min});
  const std::string name = "default";
  const auto held = f.engine
                        ->turn({.who = f.worker,
                                .claim = 1,
                                .queues = {&name, 1},
                                .kinds = all_kinds,
                                .now = f.clock.wall_now()})
                        .claimed.at(0)
                        .held;
  const q::detail::settlement dead{.held = held, .to = q::detail::settlement::fate::dead};
  f.engine->turn({.settle = {&dead, 1}});
  f.clock.advance(2min);

  CHECK_FALSE(f.jobs.redrive(id + 1));
  CHECK(f.jobs.redrive(id));

  CHECK(f.claim_order() == std::vector<std::string>{"waiting", "dead"});
}

TEST_CASE("dead letters are asked for in pages of a sane size") {
  fixture f;

  CHECK(code_of([&] { f.jobs.dead_letters(0); }) == errc::invalid_argument);
  CHECK(code_of([&] { f.jobs.dead_letters(10'001); }) == errc::invalid_argument);
  CHECK(f.jobs.dead_letters().empty());
}

TEST_CASE("without its tables a queue says what is missing") {
  test_database file;
  auto db = db::client::open(file.url());
  q::queue jobs(db);

  CHECK(code_of([&] { jobs.enqueue("k", "p"); }) == errc::invalid_statement);
}

TEST_CASE("a row of the ready table without its job stops nobody") {
  fixture f;
  const auto ghost = f.jobs.enqueue("real", "");
  f.jobs.enqueue("real", "");
  f.db.write(db::sql("delete from sk_job where id = $1", ghost));

  CHECK(f.claim_order() == std::vector<std::string>{"real"});
  CHECK(f.jobs.stats().ready == 0);
}

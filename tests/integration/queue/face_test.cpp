// The queue as its users see it, with a clock that is moved by hand.

#include "integration/queue/test_database.hpp"
#include "queue/engine.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db/client.hpp"
#include "scalekit/queue.hpp"
#include "scalekit/testing/manual_clock.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
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

/// A transaction of somebody else that nothing can be enqueued beside, while this lives.
class held_writer {
 public:
  explicit held_writer(db::client db) : db_(std::move(db)), tx_(db_.begin()) {
    if (is_postgres()) tx_.write(db::sql("create index on sk_job (kind)"));
  }

  bool is_waited_for() {
    if (!is_postgres()) return db_.statistics().writer.waiting > 0;
    return db_.read_one<bool>(db::sql("select exists (select from pg_locks where not granted)"));
  }

 private:
  bool is_postgres() const { return db_.dialect() == db::dialect::postgres; }

  db::client db_;
  db::transaction tx_;
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

TEST_CASE("an event loop that cancels while the writer is taken has enqueued nothing") {
  fixture f;
  boost::asio::cancellation_signal one;
  boost::asio::cancellation_signal many;
  using boost::asio::bind_cancellation_slot;
  using boost::asio::use_future;
  {
    held_writer writer(f.db);
    auto first =
        f.jobs.async_enqueue("now", "p", {}, bind_cancellation_slot(one.slot(), use_future));
    auto others = f.jobs.async_enqueue_many({{.kind = "now"}, {.kind = "later"}},
                                            bind_cancellation_slot(many.slot(), use_future));
    REQUIRE(support::wait_until([&] { return writer.is_waited_for(); }));

    one.emit(boost::asio::cancellation_type::terminal);
    many.emit(boost::asio::cancellation_type::total);

    CHECK_ERRC(first.get(), errc::cancelled);
    CHECK_ERRC(others.get(), errc::cancelled);
  }

  CHECK(f.claim_order().empty());
  const auto stats = f.jobs.async_stats(use_future).get();
  CHECK(stats.ready + stats.scheduled + stats.running + stats.dead == 0);
  CHECK(f.jobs.async_enqueue_many({{.kind = "now"}, {.kind = "later"}}, use_future).get().size() ==
        2);
  CHECK(f.claim_order() == std::vector<std::string>{"now", "later"});
}

TEST_CASE("an enqueue that the writer keeps waiting for longer than call_timeout stores nothing") {
  fixture f;
  q::queue hasty(f.db, {.call_timeout = 20ms, .clock = &f.clock});
  {
    held_writer writer(f.db);

    CHECK(is_timeout(support::error_of([&] { hasty.enqueue("now", "p"); })));
    CHECK(is_timeout(support::error_of(
        [&] { hasty.async_enqueue("now", "p", {}, boost::asio::use_future).get(); })));
  }

  CHECK(f.claim_order().empty());
  CHECK(f.jobs.stats().ready == 0);
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

TEST_CASE("an event loop can look at dead letters, redrive one and delete another") {
  fixture f;
  const auto kept = f.jobs.enqueue("dead", "");
  const auto lost = f.jobs.enqueue("dead", "");
  const std::string name = "default";
  std::vector<q::detail::settlement> dead;
  for (const auto& job : f.engine
                             ->turn({.who = f.worker,
                     .claim = 2,
                     .queues = {&name, 1},
                     .kinds = all_kinds,
                     .now = f.clock.wall_now()})
                             .claimed) {
    dead.push_back({.held = job.held, .to = q::detail::settlement::fate::dead});
  }
  f.engine->turn({.settle = dead});
  using boost::asio::use_future;

  CHECK(f.jobs.async_dead_letters(100, 0, use_future).get().size() == 2);
  CHECK(f.jobs.async_redrive(kept, use_future).get());
  CHECK(f.jobs.async_delete_dead_letter(lost, use_future).get());

  CHECK_FALSE(f.jobs.async_redrive(lost, use_future).get());
  CHECK(f.jobs.dead_letters().empty());
  CHECK(f.claim_order() == std::vector<std::string>{"dead"});
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

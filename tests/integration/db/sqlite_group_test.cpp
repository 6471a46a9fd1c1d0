#include "scalekit/slow/tracker.hpp"
#include "sqlite_fixture.hpp"
#include "support/throws_errc.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

// Queued writes that share a commit, and groups that cannot.

namespace asio = boost::asio;
using namespace scalekit;
using namespace std::chrono_literals;
using db::sql;
using support::contains;
using support::error_of;

namespace {

using pending = std::future<db::write_result>;

// How many writes fit into one group depends on how fast they run, so that only what must be
// shared, or broken up, however slow the machine, is counted.

/// Holds the writer while others queue behind it, in the order of their calls.
class queue_of_writes {
 public:
  explicit queue_of_writes(notebook& book)
      : client_(book.client), before_(client_.statistics()), holder_(client_.begin()) {}

  pending write(db::statement query, db::call_options options = {.timeout = 20s}) {
    return client_.async_write(std::move(query), std::move(options), asio::use_future);
  }
  pending add(const std::string& note) {
    return write(sql("insert into entry (note) values ($1)", note));
  }
  template <class Row>
  std::future<std::vector<Row>> returning(db::statement query) {
    return client_.async_write_returning<Row>(std::move(query), {.timeout = 20s}, asio::use_future);
  }

  void wait_for(std::size_t waiting) {
    while (client_.statistics().writer.waiting < waiting) std::this_thread::yield();
  }

  void go() { holder_.commit(); }

  std::uint64_t shared_commits() { return now().shared_commits - before_.shared_commits; }
  std::uint64_t writes_in_them() {
    return now().writes_in_shared_commits - before_.writes_in_shared_commits;
  }
  std::uint64_t broken_up() { return now().groups_broken_up - before_.groups_broken_up; }

 private:
  db::client_statistics now() { return client_.statistics(); }

  db::client client_;
  db::client_statistics before_;
  db::transaction holder_;
};

std::vector<std::string> notes(notebook& book) {
  return book.client.read<std::string>(sql("select note from entry order by id"));
}

using strings = std::vector<std::string>;

/// Asks for a stop while the rows of a statement are handed over.
struct tripwire {
  static inline std::stop_source* stop = nullptr;
};

/// Never ends.
db::statement endless() {
  return sql(
      "insert into pair (number, half) with recursive n(i) as"
      " (select 1 union all select i + 1 from n) select count(*), 0 from n");
}

}  // namespace

template <>
struct scalekit::codec<tripwire> {
  using stored = std::int64_t;
  static stored to_stored(const tripwire&) { return 0; }
  static tripwire from_stored(stored) {
    tripwire::stop->request_stop();
    return {};
  }
};

TEST_CASE("writes that wait together are committed together, blocking and async ones") {
  notebook book;
  queue_of_writes queue(book);
  std::vector<pending> async;
  std::vector<std::jthread> threads;
  std::vector<std::int64_t> ids(3);
  for (std::size_t i = 0; i < 3; ++i) {
    async.push_back(queue.add("async " + std::to_string(i)));
    threads.emplace_back([&book, &ids, i] {
      auto insert = sql("insert into entry (note) values ($1)", "blocking " + std::to_string(i));
      ids[i] = book.client.write(insert, {.timeout = 20s}).last_insert_id();
    });
    queue.wait_for(2 * i + 2);
  }

  queue.go();
  threads.clear();
  for (auto& f : async) CHECK(f.get().rows_affected() == 1);

  CHECK(queue.shared_commits() >= 1);
  CHECK(queue.writes_in_them() >= 2);
  CHECK(notes(book) ==
        strings{"async 0", "blocking 0", "async 1", "blocking 1", "async 2", "blocking 2"});
  CHECK(ids == std::vector<std::int64_t>{2, 4, 6});
}

TEST_CASE("a write that waits with nobody behind it runs as it would without waiting") {
  notebook book;
  queue_of_writes queue(book);
  auto only = queue.add("only");

  queue.go();

  CHECK(only.get().last_insert_id() == 1);
  CHECK(queue.shared_commits() == 0);
  CHECK(queue.broken_up() == 0);
}

TEST_CASE("an error in a group reaches only its caller and undoes only what it did") {
  notebook book;
  book.client.run_script("create unique index single on entry (note)");
  queue_of_writes queue(book);
  auto first = queue.add("a");
  auto twice = queue.write(sql("insert into entry (note) values ('b'), ('a')"));
  auto wrong = queue.write(sql("insert into nothing values (1)"));
  auto unreadable =
      queue.returning<std::int64_t>(sql("insert into entry (note) values ('c') returning note"));
  auto last = queue.add("d");

  queue.go();

  CHECK_NOTHROW(first.get());
  CHECK_ERRC(twice.get(), errc::constraint_violation);
  CHECK_ERRC(wrong.get(), errc::invalid_statement);
  CHECK_ERRC(unreadable.get(), errc::column_mismatch);
  CHECK_NOTHROW(last.get());
  CHECK(notes(book) == strings{"a", "d"});
  CHECK(queue.shared_commits() >= 1);
  CHECK(queue.broken_up() == 0);
}

TEST_CASE("rows, counts and ids of each write in a group are its own") {
  notebook book;
  queue_of_writes queue(book);
  auto two = queue.write(sql("insert into entry (note) values ('a'), ('b')"));
  auto rows = queue.returning<std::tuple<std::int64_t, std::string>>(
      sql("insert into entry (note) values ('c'), ('d') returning id, note"));
  auto none = queue.write(sql("update entry set note = 'x' where id = 99"));
  auto all = queue.returning<std::string>(sql("select note from entry order by id"));

  queue.go();

  auto inserted = two.get();
  CHECK(inserted.rows_affected() == 2);
  CHECK(inserted.last_insert_id() == 2);
  CHECK(inserted.token() == "sqlite");
  CHECK(rows.get() == std::vector<std::tuple<std::int64_t, std::string>>{{3, "c"}, {4, "d"}});
  CHECK(none.get().rows_affected() == 0);
  CHECK(all.get() == strings{"a", "b", "c", "d"});
  CHECK(queue.shared_commits() >= 1);
}

TEST_CASE("a transaction in the queue keeps its place between the writes") {
  notebook book;
  queue_of_writes queue(book);
  auto a = queue.add("a");
  auto b = queue.add("b");
  auto seen = book.client.async_transaction(
      [](db::transaction& tx) {
        return tx.read_one<std::int64_t>(sql("select count(*) from entry"));
      },
      db::transaction_options{.timeout = 20s}, asio::use_future);
  auto c = queue.add("c");
  auto d = queue.add("d");

  queue.go();

  CHECK(seen.get() == 2);
  for (auto* f : {&a, &b, &c, &d}) CHECK_NOTHROW(f->get());
  CHECK(queue.shared_commits() >= 1);
  CHECK(notes(book) == strings{"a", "b", "c", "d"});
}

TEST_CASE("a group whose transaction a statement rolls back is run one by one, and all are right") {
  notebook book;
  book.client.run_script("create unique index single on entry (note)");
  queue_of_writes queue(book);
  auto a = queue.add("a");
  auto failed = queue.add("a");
  auto rows =
      queue.returning<std::string>(sql("insert into entry (note) values ('b') returning note"));
  auto rolled = queue.write(sql("insert or rollback into entry (note) values ('a')"));
  auto c = queue.add("c");

  queue.go();

  CHECK_NOTHROW(a.get());
  CHECK_ERRC(failed.get(), errc::constraint_violation);
  CHECK(rows.get() == strings{"b"});
  CHECK_ERRC(rolled.get(), errc::constraint_violation);
  CHECK_NOTHROW(c.get());
  CHECK(notes(book) == strings{"a", "b", "c"});
  CHECK(queue.broken_up() == 1);
}

TEST_CASE(
    "a deferred key that does not hold fails its own write, even if a later one would mend it") {
  notebook book;
  book.client.run_script(
      "create table child (entry integer references entry deferrable initially deferred)");
  queue_of_writes queue(book);
  auto before = queue.add("first");
  auto orphan = queue.write(sql("insert into child values (7)"));
  auto mended = queue.write(sql("insert into entry (id, note) values (7, 'parent')"));
  auto fine = queue.write(sql("insert into child values (7)"));

  queue.go();

  CHECK_NOTHROW(before.get());
  CHECK_ERRC(orphan.get(), errc::constraint_violation);
  CHECK_NOTHROW(mended.get());
  CHECK_NOTHROW(fine.get());
  CHECK(book.client.read_one<int>(sql("select count(*) from child")) == 1);
  CHECK(queue.broken_up() == 1);
}

TEST_CASE("`or fail` and raise(fail) keep what they did before, in a group as alone") {
  notebook book;
  book.client.run_script("create unique index single on entry (note)");
  queue_of_writes queue(book);
  auto a = queue.add("a");
  auto failed = queue.write(sql("insert or fail into entry (note) values ('b'), ('a'), ('c')"));
  auto d = queue.add("d");

  queue.go();

  CHECK_NOTHROW(a.get());
  CHECK_ERRC(failed.get(), errc::constraint_violation);
  CHECK_NOTHROW(d.get());
  CHECK(notes(book) == strings{"a", "b", "d"});
}

TEST_CASE("a slow statement does not make the others of its group wait, nor lose them") {
  notebook book;
  queue_of_writes queue(book);
  auto a = queue.add("a");
  auto slow = queue.write(endless(), {.timeout = 300ms});
  auto b = queue.add("b");

  queue.go();

  CHECK_NOTHROW(a.get());
  auto e = error_of([&] { slow.get(); });
  CHECK(e.code() == errc::execution_timeout);
  CHECK(contains(e.what(), "its timeout"));
  CHECK_NOTHROW(b.get());
  CHECK(notes(book) == strings{"a", "b"});
}

TEST_CASE("a write that is stopped half way undoes its group, which then runs without it") {
  notebook book;
  std::stop_source stop;
  tripwire::stop = &stop;
  queue_of_writes queue(book);
  auto a = queue.add("a");
  auto stopped = book.client.async_write_returning<tripwire>(
      sql("insert into pair (number, half) with recursive n(i) as"
          " (select 1 union all select i + 1 from n where i < 5000) select i, 0 from n"
          " returning half"),
      {.timeout = 20s, .stop = stop.get_token()}, asio::use_future);
  auto b = queue.add("b");

  queue.go();

  CHECK_NOTHROW(a.get());
  CHECK_ERRC(stopped.get(), errc::cancelled);
  CHECK_NOTHROW(b.get());
  CHECK(notes(book) == strings{"a", "b"});
  CHECK(book.client.read_one<int>(sql("select count(*) from pair")) == 0);
  CHECK(queue.broken_up() == 1);
}

TEST_CASE("who came before a statement that is too slow for a group does not wait for its end") {
  notebook book;
  std::stop_source stop;
  queue_of_writes queue(book);
  auto a = queue.add("a");
  auto slow = queue.write(endless(), {.timeout = 20s, .stop = stop.get_token()});
  auto b = queue.add("b");

  queue.go();
  // Acknowledged while the slow one runs.
  CHECK_NOTHROW(a.get());
  stop.request_stop();

  CHECK_ERRC(slow.get(), errc::cancelled);
  CHECK_NOTHROW(b.get());
}

TEST_CASE("who gives up waiting is not in the group") {
  notebook book;
  std::stop_source stop;
  queue_of_writes queue(book);
  auto a = queue.add("a");
  auto cancelled = queue.write(sql("insert into entry (note) values ('b')"),
                               {.timeout = 20s, .stop = stop.get_token()});
  auto late = queue.write(sql("insert into entry (note) values ('c')"), {.timeout = 10ms});
  auto d = queue.add("d");
  stop.request_stop();
  CHECK_ERRC(cancelled.get(), errc::cancelled);
  CHECK_ERRC(late.get(), errc::acquire_timeout);

  queue.go();

  CHECK_NOTHROW(a.get());
  CHECK_NOTHROW(d.get());
  CHECK(notes(book) == strings{"a", "d"});
}

TEST_CASE("a database that is full refuses in a group what it would refuse alone") {
  notebook book({.sqlite = {.max_database_bytes = 64 << 10}});
  queue_of_writes queue(book);
  std::vector<pending> writes;
  for (int i = 0; i < 40; ++i) writes.push_back(queue.add(std::string(3000, 'x')));
  auto small = queue.add("small");

  queue.go();
  int stored = 0;
  for (auto& w : writes) {
    try {
      w.get();
      ++stored;
    } catch (const error& e) {
      CHECK(e.code() == errc::disk_full);
    }
  }
  try {
    small.get();
    ++stored;
  } catch (const error& e) {
    CHECK(e.code() == errc::disk_full);
  }

  CHECK(stored > 0);
  CHECK(stored < 41);
  CHECK(book.count() == stored);
}

TEST_CASE("every write of a group reaches the tracker once, with its wait and its outcome") {
  auto tracker = std::make_shared<slow::tracker>();
  notebook book({.tracker = tracker});
  book.client.run_script("create unique index single on entry (note)");
  queue_of_writes queue(book);
  const auto before = tracker->totals();
  auto a = queue.add("a");
  auto b = queue.add("a");
  auto c = queue.write(sql("insert or rollback into entry (note) values ('a')"));
  auto d = queue.add("d");

  queue.wait_for(4);
  std::this_thread::sleep_for(5ms);
  queue.go();
  a.get();
  CHECK_THROWS(b.get());
  CHECK_THROWS(c.get());
  d.get();

  CHECK(tracker->totals().calls == before.calls + 4);
  CHECK(tracker->totals().failed == before.failed + 2);
  int seen = 0;
  for (const auto& report : tracker->top(100, slow::top_by::calls)) {
    const bool plain = report.text.starts_with("insert into entry");
    if (!plain && !report.text.starts_with("insert or rollback")) continue;
    ++seen;
    CHECK(report.calls == (plain ? 3 : 1));
    CHECK(report.errors == 1);
    CHECK(report.timeouts + report.cancelled == 0);
    CHECK(report.rows == (plain ? 2 : 0));
    // At least as long as the writer was held by another.
    CHECK(report.wait >= (plain ? 3 : 1) * 5ms);
  }
  CHECK(seen == 2);
}

TEST_CASE("another process that holds the lock keeps nobody longer than his own time") {
  notebook book;
  auto other = book.open();
  auto lock = other.begin();
  auto first = book.client.async_write(sql("insert into entry (note) values ('a')"),
                                       {.timeout = 20s}, asio::use_future);
  auto second = book.client.async_write(sql("insert into entry (note) values ('b')"),
                                        {.timeout = 50ms}, asio::use_future);

  CHECK_ERRC(second.get(), errc::acquire_timeout);
  lock.commit();

  CHECK_NOTHROW(first.get());
  CHECK(notes(book) == strings{"a"});
}

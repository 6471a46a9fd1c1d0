#include "scalekit/slow/tracker.hpp"
#include "sqlite_fixture.hpp"
#include "support/throws_errc.hpp"

#include <boost/asio/use_future.hpp>
#include <boost/describe.hpp>
#include <doctest/doctest.h>

#include <limits>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

// What is particular to SQLite in statements, results and their caches.

using namespace scalekit;
using namespace std::chrono_literals;
using db::sql;
using db::unsafe_sql;
using support::contains;
using support::error_of;

namespace {

struct entry {
  std::int64_t id = 0;
  std::string note;
};
BOOST_DESCRIBE_STRUCT(entry, (), (id, note))

/// What the tracker knows about the one statement that begins so.
slow::statement_report tracked(const slow::tracker& tracker, const std::string& beginning) {
  for (auto& report : tracker.top(100, slow::top_by::calls)) {
    if (report.text.starts_with(beginning)) return report;
  }
  FAIL_CHECK("no call of it was tracked: ", beginning);
  return {};
}

}  // namespace

TEST_CASE("parameters may be written as ? and ?1, but not mixed with $1, named or with gaps") {
  notebook book;
  book.add("one");
  auto read = [&](db::statement s) { return book.client.read<std::int64_t>(s).size(); };

  CHECK(read(sql("select id from entry where id = ?1 and note = ?2", 1, "one")) == 1);
  CHECK(read(sql("select id from entry where id = ? and note = ?", 1, "one")) == 1);
  CHECK_ERRC(read(sql("select id from entry where id = $1 and note = ?", 1, "one")),
             errc::parameter_mismatch);
  CHECK_ERRC(read(sql("select id from entry where id = :id", 1)), errc::parameter_mismatch);
  CHECK_ERRC(read(sql("select id from entry where id = $2", 1)), errc::parameter_mismatch);
}

TEST_CASE("an array is not supported, and the error says what to do instead") {
  notebook book;

  auto e = error_of(
      [&] { book.client.read<std::int64_t>(sql("select $1 = $2", 1, std::vector<int>{1})); });

  CHECK(e.code() == errc::not_supported);
  CHECK(contains(e.what(), "parameter $2 is an array"));
  CHECK(contains(e.what(), "json_each()"));
}

TEST_CASE("text for an integer column of a strict table is a typed error that names the column") {
  notebook book;
  book.client.run_script("create table stock (id integer primary key, pieces integer) strict");

  auto e = error_of([&] { book.client.write(sql("insert into stock values (1, $1)", "many")); });

  CHECK(e.code() == errc::constraint_violation);
  CHECK(contains(e.what(), "stock.pieces"));
  CHECK_FALSE(contains(e.what(), "many"));
  CHECK_ERRC(book.client.write(sql("insert into stock values ($1, 1)", "first")),
             errc::parameter_mismatch);
  CHECK(book.client.read_one<int>(sql("select count(*) from stock")) == 0);
  book.client.write(sql("insert into stock values (1, $1)", "12"));
  CHECK(book.client.read_one<int>(sql("select pieces from stock")) == 12);
}

TEST_CASE("NaN is refused, because SQLite would store null; infinity is kept") {
  notebook book;
  constexpr auto infinity = std::numeric_limits<double>::infinity();

  CHECK_ERRC(book.client.read<double>(sql("select $1", std::numeric_limits<double>::quiet_NaN())),
             errc::value_out_of_range);
  CHECK(book.client.read_one<double>(sql("select $1", infinity)) == infinity);
}

TEST_CASE("a write leaves the id of the row it inserted") {
  notebook book;

  CHECK(book.add("one").last_insert_id() == 1);
  CHECK(book.add("two").last_insert_id() == 2);
}

TEST_CASE("triggers do not count as rows affected, and creating a table affects none") {
  notebook book;
  book.client.run_script(
      "create table log (note text);"
      "create trigger t after insert on entry begin insert into log values (new.note); end");

  CHECK(book.add("one").rows_affected() == 1);
  CHECK(book.client.write(sql("create table other (x)")).rows_affected() == 0);
}

TEST_CASE("attach, unsafe pragmas and vacuum are refused on both kinds of connection") {
  notebook book;

  CHECK_ERRC(book.client.write(sql("attach ':memory:' as other")), errc::not_allowed);
  CHECK_ERRC(book.client.read<int>(sql("attach ':memory:' as other")), errc::not_allowed);
  CHECK_ERRC(book.client.write(sql("pragma journal_mode = delete")), errc::not_allowed);
  CHECK_ERRC(book.client.write(sql("pragma foreign_keys = off")), errc::not_allowed);
  CHECK_ERRC(book.client.read<int>(sql("begin immediate")), errc::not_allowed);
  CHECK_ERRC(book.client.run_script("create table x (y); commit; drop table entry"),
             errc::not_allowed);
  CHECK(book.client.write_one<std::string>(sql("pragma journal_mode")) == "wal");
  CHECK(book.client.read_one<int>(sql("pragma foreign_keys")) == 1);
  CHECK(book.count() == 0);
}

TEST_CASE("foreign keys hold, also those that are checked only at the commit") {
  notebook book;
  book.client.run_script(
      "create table child (entry integer references entry deferrable initially deferred)");

  CHECK_ERRC(book.client.write(sql("insert into child values (99)")), errc::constraint_violation);
  auto tx = book.client.begin();
  tx.write(sql("insert into child values (99)"));
  CHECK_ERRC(tx.commit(), errc::constraint_violation);

  CHECK_FALSE(tx.is_open());
  CHECK(book.client.read_one<int>(sql("select count(*) from child")) == 0);
  book.add("the writer is free again");
}

TEST_CASE("a statement that rolls the transaction back leaves it aborted") {
  notebook book;
  book.client.run_script("create table single (x integer unique on conflict rollback)");
  auto tx = book.client.begin();
  tx.write(sql("insert into single values (1)"));

  CHECK_ERRC(tx.write(sql("insert into single values (1)")), errc::constraint_violation);

  CHECK_FALSE(tx.is_open());
  CHECK_ERRC(tx.write(sql("insert into single values (2)")), errc::not_allowed);
  CHECK_ERRC(tx.commit(), errc::not_allowed);
  CHECK(book.client.read_one<int>(sql("select count(*) from single")) == 0);
}

TEST_CASE("stopping a statement that writes aborts its transaction") {
  notebook book;
  auto tx = book.client.begin();

  CHECK_ERRC(tx.write(sql("with recursive n(i) as (select 1 union all select i + 1 from n)"
                          " insert into entry (note) select i from n"),
                      {.timeout = 20ms}),
             errc::execution_timeout);

  CHECK_FALSE(tx.is_open());
  CHECK(contains(error_of([&] { tx.commit(); }).what(), "its timeout"));
  CHECK(book.count() == 0);
}

TEST_CASE("a transaction's own timeout ends its statements and its commit") {
  notebook book;
  auto tx = book.client.begin({.timeout = 20ms});
  tx.write(sql("insert into entry (note) values ('x')"));

  CHECK_ERRC(
      tx.read<std::int64_t>(sql("with recursive n(i) as (select 1 union all select i + 1 from n)"
                                " select count(*) from n")),
      errc::execution_timeout);
  CHECK_ERRC(tx.commit(), errc::execution_timeout);

  CHECK(book.count() == 0);
}

TEST_CASE("a cached statement follows a change of the schema") {
  notebook book;
  book.add("one");
  auto all = [&] { return book.client.read<entry>(sql("select * from entry")); };
  CHECK(all().size() == 1);

  book.client.run_script(
      "drop table entry; create table entry (note text, id integer primary key);"
      "insert into entry (id, note) values (7, 'seven')");

  auto rows = all();
  CHECK(rows[0].id == 7);
  CHECK(rows[0].note == "seven");
  book.client.run_script("alter table entry add column more text");
  CHECK_ERRC(all(), errc::column_mismatch);
  book.client.run_script("alter table entry drop column more");
  CHECK(all().size() == 1);
  book.client.run_script("drop table entry");
  CHECK_ERRC(all(), errc::invalid_statement);
}

TEST_CASE("the same statement may be read into different types in turn") {
  notebook book;
  book.add("one");
  auto query = sql("select note, id from entry");

  for (int i = 0; i < 3; ++i) {
    CHECK(book.client.read_one<entry>(query).id == 1);
    CHECK(std::get<1>(book.client.read_one<std::tuple<std::string, int>>(query)) == 1);
  }
}

TEST_CASE("more statements than the cache holds still work") {
  notebook book({.statement_cache = 2, .sqlite = {.readers = 1}});

  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5; ++i) {
      auto query = unsafe_sql("select " + std::to_string(i));
      CHECK(book.client.read_one<int>(query) == i);
    }
  }

  auto stats = book.client.statistics();
  CHECK(stats.statement_cache_misses >= 15);
}

TEST_CASE("a database in memory is one for all calls and gone with the client") {
  auto client = db::client::open("sqlite::memory:");
  auto other = db::client::open("sqlite::memory:");
  client.run_script("create table t (x)");

  client.write(sql("insert into t values (1)"));

  CHECK(client.read_one<int>(sql("select count(*) from t")) == 1);
  CHECK_ERRC(other.read<int>(sql("select * from t")), errc::invalid_statement);
}

TEST_CASE("every statement reaches the tracker with its outcome, rows and place") {
  auto tracker = std::make_shared<slow::tracker>();
  notebook book({.tracker = tracker});
  for (int i = 0; i < 3; ++i) book.add("note " + std::to_string(i));
  const auto before = tracker->totals();

  const auto line = std::uint32_t{__LINE__ + 1};
  auto rows = book.client.read<entry>(sql("select id, note from entry where id > $1", 0));
  CHECK_THROWS_AS(book.client.write(sql("insert into entry (id, note) values ($1, 'x')", 1)),
                  error);
  CHECK_ERRC(book.client.read<int>(sql("with recursive n(i) as (select 1 union all select i + 1 "
                                       "from n) select count(*) from n"),
                                   {.timeout = 10ms}),
             errc::execution_timeout);

  CHECK(rows.size() == 3);
  CHECK(tracker->totals().calls == before.calls + 3);
  CHECK(tracker->totals().failed == before.failed + 2);
  const auto read = tracked(*tracker, "select id, note");
  CHECK(read.calls == 1);
  CHECK(read.rows == 3);
  CHECK(read.errors + read.timeouts + read.cancelled == 0);
  REQUIRE(read.call_sites.size() == 1);
  CHECK(read.call_sites[0].where.line == line);
  CHECK(read.call_sites[0].where.file.ends_with("sqlite_statements_test.cpp"));
  const auto insert = tracked(*tracker, "insert into entry(id, note)");
  CHECK(insert.errors == 1);
  CHECK(insert.rows + insert.timeouts + insert.cancelled == 0);
  const auto endless = tracked(*tracker, "with recursive");
  CHECK(endless.timeouts == 1);
  CHECK(endless.errors + endless.cancelled == 0);
  CHECK(endless.execute >= 10ms);
}

TEST_CASE("a statement that does not compile, and one that gets no connection, are tracked too") {
  auto tracker = std::make_shared<slow::tracker>();
  notebook book({.acquire_timeout = std::chrono::milliseconds{1}, .tracker = tracker});
  const auto before = tracker->totals();

  CHECK_ERRC(book.client.read<int>(sql("select nothing from nowhere")), errc::invalid_statement);
  auto holder = book.client.begin();
  CHECK_ERRC(book.add("late"), errc::acquire_timeout);

  CHECK(tracker->totals().failed == before.failed + 2);
  CHECK(tracked(*tracker, "select nothing").errors == 1);
  const auto late = tracked(*tracker, "insert into entry");
  CHECK(late.timeouts == 1);
  CHECK(late.errors == 0);
  CHECK(late.wait >= 1ms);
}

TEST_CASE("a run-time statement with a NUL in it is refused, not cut short") {
  notebook book;
  book.add("kept");

  using namespace std::string_literals;
  CHECK_ERRC(book.client.write(db::unsafe_sql("delete from entry\0 where id = 7"s)),
             errc::invalid_statement);

  CHECK(book.count() == 1);
}

TEST_CASE("an asynchronous read-only transaction opens its connection within the caller's limits") {
  notebook book;
  for (int i = 0; i < 300; ++i) {
    book.client.run_script("create table t" + std::to_string(i) + " (id integer primary key)");
  }
  std::stop_source unused;

  auto count = book.client
                   .async_transaction(
                       [](db::transaction& tx) {
                         return tx.read_one<std::int64_t>(sql("select count(*) from entry"));
                       },
                       db::transaction_options{.stop = unused.get_token(), .read_only = true},
                       boost::asio::use_future)
                   .get();

  CHECK(count == 0);
}

TEST_CASE("COPY is PostgreSQL's") {
  notebook book;

  CHECK_ERRC(book.client.copy_out(sql("copy entry to stdout"), [](std::string_view) {}),
             errc::not_supported);
  CHECK_ERRC(book.client.copy_in(sql("copy entry from stdin"), [] { return std::string_view(); }),
             errc::not_supported);
}

TEST_CASE("statistics count what was done") {
  notebook book;
  auto before = book.client.statistics();

  book.add("one");
  book.count();
  book.client.transaction([](db::transaction& tx) { tx.savepoint([] {}); });
  { auto tx = book.client.begin(); }

  auto after = book.client.statistics();
  CHECK(after.statements - before.statements == 2);
  CHECK(after.transactions_committed - before.transactions_committed == 1);
  CHECK(after.transactions_rolled_back - before.transactions_rolled_back == 1);
  CHECK(after.writer.limit == 1);
  CHECK(after.readers.limit == 4);
  CHECK(after.writer.acquired - before.writer.acquired == 3);
}

TEST_CASE("a statement is prepared once on its connection") {
  auto params = db::client_params{};
  params.sqlite.readers = 1;
  notebook book(params);
  book.count();
  const auto before = book.client.statistics();

  for (int i = 0; i < 5; ++i) book.count();

  const auto after = book.client.statistics();
  CHECK(after.statement_cache_hits - before.statement_cache_hits == 5);
  CHECK(after.statement_cache_misses == before.statement_cache_misses);
}

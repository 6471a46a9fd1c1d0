// What the tracker is told of a call's time on SQLite: the wait, the work, the fetching. Bounds
// come from what happens before what, not from how long things take.

#include "held_call.hpp"
#include "scalekit/slow/tracker.hpp"
#include "sqlite_fixture.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace scalekit;
using boost::asio::use_future;
using db::sql;
using std::chrono::steady_clock;
using support::wait_until;
using tracker_test::pass_time;

namespace {

/// One reader, one writer and a tracker.
struct tracked_notebook : tracker_test::held_call {
  std::shared_ptr<slow::tracker> tracker = std::make_shared<slow::tracker>();
  notebook book;

  tracked_notebook() : book(params(tracker)) {
    for (const char* note : {"one", "two", "three"}) book.add(note);
    tracker->reset();
  }

  static db::client_params params(std::shared_ptr<slow::tracker> told) {
    db::client_params p{.statement_timeout = 60s,
                        .acquire_timeout = 60s,
                        .transaction_timeout = 60s,
                        .sqlite = {.readers = 1}};
    p.tracker = std::move(told);
    return p;
  }

  /// Starts what `call` starts while a transaction holds what it needs, which is given back once
  /// the call waits for it.
  template <class Call>
  void behind(const db::transaction_options& held, Call call) {
    auto holder = book.client.begin(held);
    auto end = call();
    const bool waits = wait_until([&] {
      const auto s = book.client.statistics();
      return s.readers.waiting + s.writer.waiting == 1;
    });
    if (!waits) throw std::runtime_error("it does not wait");
    asked_before = steady_clock::now();
    pass_time();
    released = steady_clock::now();
    holder.rollback();
    end.get();
    done = steady_clock::now();
  }

  /// Of the one statement that begins so, which was called once.
  slow::statement_report report(const std::string& beginning) const {
    const auto told = tracker_test::report_of(*tracker, beginning);
    if (!told) throw std::runtime_error("nothing was told of " + beginning);
    CHECK(told->calls == 1);
    return *told;
  }
};

const auto notes = sql("select note from entry order by id");
const auto addition = sql("insert into entry (note) values ('four')");

}  // namespace

TEST_CASE("a read on SQLite tells how long it waited for a reader, and what it took then") {
  tracked_notebook t;
  auto& client = t.book.client;

  SUBCASE("blocking") {
    t.behind({.read_only = true}, [&] {
      return std::async(std::launch::async, [&] { return client.read<std::string>(notes); });
    });
  }
  SUBCASE("without a thread of its caller's") {
    t.behind({.read_only = true},
             [&] { return client.async_read<std::string>(notes, use_future); });
  }

  const auto told = t.report("select note");
  t.check_waited(told);
  CHECK(told.fetch > 0ns);
  CHECK(told.rows == 3);
}

TEST_CASE("a write on SQLite tells how long it waited for the writer, and what it took then") {
  tracked_notebook t;
  auto& client = t.book.client;

  SUBCASE("blocking") {
    t.behind(
        {}, [&] { return std::async(std::launch::async, [&] { return client.write(addition); }); });
  }
  SUBCASE("without a thread of its caller's") {
    t.behind({}, [&] { return client.async_write(addition, use_future); });
  }
  SUBCASE("with rows to read") {
    t.behind({}, [&] {
      return std::async(std::launch::async, [&] {
        return client.write<std::int64_t>(
            sql("insert into entry (note) values ('four') returning id"));
      });
    });
  }

  const auto told = t.report("insert into entry");
  t.check_waited(told);
  CHECK(told.rows == 1);
}

TEST_CASE("a write that waits for another client of the file works, it does not wait") {
  tracked_notebook t;
  auto other = t.book.open();
  auto lock = other.begin();

  const auto begun = steady_clock::now();
  auto end = std::async(std::launch::async, [&] { return t.book.client.write(addition); });
  REQUIRE(wait_until([&] { return t.book.client.statistics().writer.busy == 1; }));
  const auto works = steady_clock::now();
  pass_time();
  const auto freed = steady_clock::now();
  lock.rollback();
  end.get();

  const auto told = t.report("insert into entry");
  CHECK(told.execute >= freed - works);
  CHECK(told.wait <= works - begun);
}

TEST_CASE("a stream on SQLite tells when its first row was there, and how long the rest took") {
  tracked_notebook t;
  std::optional<steady_clock::time_point> first;
  steady_clock::time_point last{};

  const auto begun = steady_clock::now();
  t.book.client.read_each<std::string>(notes, [&](const std::string&) {
    last = steady_clock::now();
    if (!first) first = last;
    pass_time();
  });
  const auto done = steady_clock::now();

  const auto told = t.report("select note");
  CHECK(told.execute > 0ns);
  CHECK(told.wait + told.execute <= *first - begun);
  CHECK(told.fetch >= last - *first);
  CHECK(told.wait + told.execute + told.fetch <= done - begun);
}

TEST_CASE("a call on SQLite that gets no reader has only waited") {
  tracked_notebook t;
  const auto holder = t.book.client.begin({.read_only = true});

  CHECK_ERRC(t.book.client.read<std::string>(notes, {.timeout = 30ms}), errc::acquire_timeout);

  const auto told = t.report("select note");
  CHECK(told.timeouts == 1);
  CHECK(told.wait >= 30ms);
  CHECK(told.execute == 0ns);
  CHECK(told.fetch == 0ns);
}

TEST_CASE("a call on SQLite that is stopped before its first row has only worked") {
  tracked_notebook t;
  const auto endless =
      sql("with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n");

  CHECK_ERRC(t.book.client.read<std::int64_t>(endless, {.timeout = 30ms}), errc::execution_timeout);

  const auto told = t.report("with recursive");
  CHECK(told.timeouts == 1);
  CHECK(told.wait == 0ns);
  CHECK(told.execute >= 30ms);
  CHECK(told.fetch == 0ns);
}

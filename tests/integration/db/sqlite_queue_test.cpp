#include "sqlite_fixture.hpp"
#include "support/throws_errc.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <mutex>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

// Waiting for the writer and the readers.

namespace asio = boost::asio;
using namespace scalekit;
using namespace std::chrono_literals;
using db::sql;
using support::contains;
using support::error_of;

namespace {

void wait_until(auto&& condition) {
  while (!condition()) std::this_thread::yield();
}

/// What this process has open whose name begins so.
std::vector<std::string> open_files(const std::string& name) {
  std::vector<std::string> found;
  for (const auto& fd : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    auto target = std::filesystem::read_symlink(fd.path(), gone).string();
    if (target.starts_with(name)) found.push_back(target);
  }
  return found;
}

}  // namespace

TEST_CASE("readers go on while a transaction holds the writer, and see the state before it") {
  notebook book;
  auto tx = book.client.begin();
  tx.write(sql("insert into entry (note) values ('new')"));

  CHECK(book.count() == 0);

  tx.commit();
  CHECK(book.count() == 1);
}

TEST_CASE("as many readers as were asked for read at once, and one more waits for one of them") {
  notebook book({.sqlite = {.readers = 2}});
  auto read = sql("select count(*) from entry");
  auto first = book.client.begin({.read_only = true});
  auto second = book.client.begin({.read_only = true});
  CHECK(first.read_one<std::int64_t>(read) == 0);
  CHECK(second.read_one<std::int64_t>(read) == 0);

  auto e = error_of([&] { book.client.read<std::int64_t>(read, {.timeout = 20ms}); });

  CHECK(e.code() == errc::acquire_timeout);
  CHECK(contains(e.what(), "2 of 2 busy"));
  CHECK(book.client.statistics().readers.busy == 2);
  auto third = book.client.async_read<std::int64_t>(read, {.timeout = 20s}, asio::use_future);
  wait_until([&] { return book.client.statistics().readers.waiting == 1; });
  second.rollback();
  CHECK(third.get() == std::vector<std::int64_t>{0});
}

TEST_CASE("a writer that waits too long is told who holds the writer") {
  notebook book;
  auto line = std::to_string(__LINE__ + 1);
  auto tx = book.client.begin();

  auto e = error_of([&] { book.add("late", {.timeout = 20ms}); });

  CHECK(e.code() == errc::acquire_timeout);
  CHECK(contains(e.what(), "sqlite_queue_test.cpp:" + line));
  CHECK(contains(e.what(), "1 of 1 busy"));
  CHECK(contains(e.what(), "this very thread"));
  CHECK(book.client.statistics().writer.acquire_timeouts == 1);
}

TEST_CASE("acquire_timeout bounds the wait even when the call has more time") {
  notebook book({.acquire_timeout = 20ms});
  auto tx = book.client.begin();

  CHECK_ERRC(book.add("late", {.timeout = 20s}), errc::acquire_timeout);
}

TEST_CASE("one more than may wait is shed at once") {
  notebook book({.max_waiting = 1});
  auto tx = book.client.begin();
  std::jthread waiter([&] { book.add("waits"); });
  wait_until([&] { return book.client.statistics().writer.waiting == 1; });

  CHECK_ERRC(book.add("too many"), errc::shed);

  tx.commit();
}

TEST_CASE("blocking and async writers are served in the order in which they came") {
  notebook book;
  auto tx = book.client.begin();
  std::vector<std::jthread> threads;
  std::vector<std::future<db::write_result>> futures;
  for (int i = 0; i < 10; ++i) {
    auto insert = sql("insert into entry (note) values ($1)", std::to_string(i));
    if (i % 2 == 0) {
      threads.emplace_back([&book, insert] { book.client.write(insert, {.timeout = 20s}); });
    } else {
      futures.push_back(book.client.async_write(insert, {.timeout = 20s}, asio::use_future));
    }
    wait_until([&] { return book.client.statistics().writer.waiting == std::size_t(i) + 1; });
  }

  tx.commit();
  threads.clear();
  for (auto& f : futures) f.get();

  CHECK(book.client.read<std::string>(sql("select note from entry order by id")) ==
        std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
}

TEST_CASE("async writers wait without a thread: a pool of one still serves reads") {
  notebook book({}, execution(asio::any_io_executor{}, work_pool_params{.threads = 1}));
  auto tx = book.client.begin();
  std::vector<std::future<db::write_result>> writes;
  for (int i = 0; i < 50; ++i) {
    writes.push_back(book.client.async_write(sql("insert into entry (note) values ('w')"),
                                             {.timeout = 20s}, asio::use_future));
  }

  auto read =
      book.client.async_read<std::int64_t>(sql("select count(*) from entry"), asio::use_future);

  CHECK(read.get() == std::vector<std::int64_t>{0});
  tx.commit();
  for (auto& w : writes) w.get();
  CHECK(book.count() == 50);
}

TEST_CASE("an async writer that waits too long completes with acquire_timeout") {
  asio::io_context io;
  notebook book({}, execution(io.get_executor()));
  auto tx = book.client.begin();
  boost::system::error_code code;

  book.client.async_write(
      sql("insert into entry (note) values ('w')"), {.timeout = 10ms},
      [&](std::exception_ptr e, const db::write_result&) { code = to_error(e).code(); });
  io.run();

  CHECK(code == errc::acquire_timeout);
}

TEST_CASE("waiting can be cancelled, by stop token and by cancellation slot") {
  asio::io_context io;
  notebook book({}, execution(io.get_executor()));
  auto tx = book.client.begin();
  std::stop_source stop;
  asio::cancellation_signal signal;
  std::vector<boost::system::error_code> codes;
  auto note = [&](std::exception_ptr e, const db::write_result&) {
    codes.push_back(to_error(e).code());
  };
  auto insert = sql("insert into entry (note) values ('w')");

  book.client.async_write(insert, {.timeout = 20s, .stop = stop.get_token()}, note);
  book.client.async_write(insert, {.timeout = 20s},
                          asio::bind_cancellation_slot(signal.slot(), note));
  asio::post(io, [&] {
    stop.request_stop();
    signal.emit(asio::cancellation_type::total);
  });
  io.run();

  CHECK(codes == std::vector<boost::system::error_code>(2, make_error_code(errc::cancelled)));
  std::stop_source blocking;
  std::jthread stopper([&] {
    wait_until([&] { return book.client.statistics().writer.waiting == 1; });
    blocking.request_stop();
  });
  CHECK_ERRC(book.add("w", {.timeout = 20s, .stop = blocking.get_token()}), errc::cancelled);
  CHECK(book.client.statistics().writer.waiting == 0);
}

TEST_CASE("closing ends the wait of those in the queue") {
  notebook book;
  auto tx = book.client.begin();
  auto waiting = book.client.async_write(sql("insert into entry (note) values ('w')"),
                                         {.timeout = 20s}, asio::use_future);
  std::jthread blocked([&] { CHECK_ERRC(book.add("w", {.timeout = 20s}), errc::closed); });
  wait_until([&] { return book.client.statistics().writer.waiting == 2; });

  book.client.close(0ms);

  CHECK_ERRC(waiting.get(), errc::closed);
  blocked.join();
  CHECK_ERRC(tx.commit(), errc::closed);
}

TEST_CASE("once those who held a connection at the close are done, no file is open") {
  notebook book;
  auto slow = book.client.begin({.read_only = true});
  slow.read<std::int64_t>(sql("select count(*) from entry"));
  // By another reader, which is idle then.
  book.count();

  book.client.close(0ms);
  CHECK_ERRC(slow.read<int>(sql("with recursive n(i) as (select 1 union all select i + 1 from n)"
                                " select count(*) from n")),
             errc::closed);
  slow.rollback();

  CHECK(open_files(book.file).empty());
  CHECK_FALSE(std::filesystem::exists(book.file + "-wal"));
}

TEST_CASE(
    "a statement whose time is up as it ends has happened, or has not, as its caller is told") {
  notebook book({.sqlite = {.synchronous = db::synchronous_mode::off}});
  int acknowledged = 0;
  int refused = 0;

  // No time at all: SQLite is stopped wherever it asks, now and then at the very end.
  for (int i = 0; i < 3000; ++i) {
    try {
      book.add("x", {.timeout = std::chrono::nanoseconds{0}});
      ++acknowledged;
    } catch (const error& e) {
      CHECK(e.code() == errc::execution_timeout);
      ++refused;
    }
  }

  CHECK(book.count() == acknowledged);
  CHECK(refused > 0);
}

TEST_CASE("calls cancelled and timed out at random leave no connection lent and no row half done") {
  notebook book(
      {.max_waiting = 100'000, .sqlite = {.readers = 2, .synchronous = db::synchronous_mode::off}});
  std::atomic<int> acknowledged{0};
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 250; ++i) {
        std::stop_source stop;
        db::call_options options{.timeout = std::chrono::microseconds(random() % 3000),
                                 .stop = stop.get_token()};
        auto insert = sql("insert into entry (note) values ('r')");
        auto slow =
            sql("with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)"
                " select count(*) from n");
        try {
          switch (random() % 5) {
            case 0: {
              book.client.write(insert, options);
              ++acknowledged;
              break;
            }
            case 1:
              book.client.read<std::int64_t>(slow, options);
              break;
            case 2: {
              auto done = book.client.async_write(insert, options, asio::use_future);
              if (random() % 2 == 0) stop.request_stop();
              done.get();
              ++acknowledged;
              break;
            }
            case 3: {
              auto rows = book.client.async_read<std::int64_t>(slow, options, asio::use_future);
              if (random() % 2 == 0) stop.request_stop();
              rows.get();
              break;
            }
            default: {
              auto tx = book.client.begin({.timeout = options.timeout, .stop = options.stop});
              tx.write(insert);
              if (random() % 2 == 0) stop.request_stop();
              tx.commit();
              ++acknowledged;
            }
          }
        } catch (const error& e) {
          bool expected =
              is_timeout(e.code()) || e.code() == errc::cancelled || e.code() == errc::not_allowed;
          CHECK_MESSAGE(expected, e.what());
        }
      }
    });
  }
  threads.clear();

  // A call may be told that it was cancelled a moment before its connection is back.
  auto after = book.client.statistics();
  for (int i = 0; i < 500 && after.readers.busy + after.writer.busy > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
    after = book.client.statistics();
  }
  CHECK(after.readers.busy == 0);
  CHECK(after.writer.busy == 0);
  CHECK(after.readers.waiting + after.writer.waiting == 0);
  CHECK(book.count() == acknowledged.load());
}

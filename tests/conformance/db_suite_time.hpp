#pragma once

// Time, cancellation, asynchronous calls and the end of life.

#include "conformance/db_suite_fixture.hpp"
#include "scalekit/slow/tracker.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

namespace db_suite {

namespace asio = boost::asio;

TEST_CASE("db: a statement that runs past its timeout is stopped, and the next one runs") {
  shop s;

  auto e = error_of([&] {
    s.client.read<std::int64_t>(unsafe_sql(s.backend->endless_read()), {.timeout = 30ms});
  });

  CHECK(e.code() == errc::execution_timeout);
  CHECK(s.count() == 2);
}

TEST_CASE("db: a statement is stopped from another thread, and the next one runs") {
  shop s;
  std::stop_source stop;
  std::jthread other([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });

  CHECK_ERRC(s.client.read<std::int64_t>(unsafe_sql(s.backend->endless_read()),
                                         {.timeout = 20s, .stop = stop.get_token()}),
             errc::cancelled);
  CHECK_ERRC(s.client.read<std::int64_t>(sql("select 1"), {.stop = stop.get_token()}),
             errc::cancelled);
  CHECK(s.count() == 2);
}

TEST_CASE("db: a call that gets no connection is tracked, with its wait") {
  auto tracker = std::make_shared<scalekit::slow::tracker>();
  shop s({.pool = {.min = 0, .max = 1, .shed_target = 0s}, .tracker = tracker});
  const auto late = sql("insert into product (id, name) values (3, 'late')");
  auto holder = s.client.begin();

  CHECK_ERRC(s.client.write(late, {.timeout = 30ms}), errc::acquire_timeout);
  CHECK_ERRC(s.client.async_write(late, {.timeout = 30ms}, asio::use_future).get(),
             errc::acquire_timeout);

  const auto known = tracker->top(100, scalekit::slow::top_by::calls);
  const auto found = std::find_if(known.begin(), known.end(), [](const auto& report) {
    return report.text.starts_with("insert into product");
  });
  REQUIRE(found != known.end());
  CHECK(found->timeouts == 2);
  CHECK(found->errors == 0);
  CHECK(found->wait >= 60ms);
}

TEST_CASE("db: cancelling an async read stops it") {
  asio::io_context io;
  shop s({}, scalekit::execution(io.get_executor()));
  asio::cancellation_signal signal;
  boost::system::error_code code;

  s.client.async_read<std::int64_t>(
      unsafe_sql(s.backend->endless_read()), {.timeout = 20s},
      asio::bind_cancellation_slot(signal.slot(),
                                   [&](std::exception_ptr e, std::vector<std::int64_t>) {
                                     code = scalekit::to_error(e).code();
                                   }));
  asio::steady_timer timer(io, 20ms);
  timer.async_wait([&](auto) { signal.emit(asio::cancellation_type::terminal); });
  io.run();

  CHECK(code == errc::cancelled);
  CHECK(s.count() == 2);
}

TEST_CASE("db: async calls complete a coroutine with values and with errors") {
  asio::io_context io;
  shop s({}, scalekit::execution(io.get_executor()));
  bool finished = false;

  auto story = [&]() -> asio::awaitable<void> {
    auto rows = co_await s.client.async_read<product>(
        sql("select id, name, price from product order by id"), asio::use_awaitable);
    CHECK(rows.size() == 2);
    auto done = co_await s.client.async_write(sql("update product set price = 1 where id = $1", 1),
                                              asio::use_awaitable);
    CHECK(done.rows_affected() == 1);
    auto id = co_await s.client.async_write_returning<std::int64_t>(
        sql("insert into product (id, name) values (7, 'desk') returning id"), asio::use_awaitable);
    CHECK(id == std::vector<std::int64_t>{7});
    auto count = co_await s.client.async_transaction(
        [](db::transaction& tx) {
          tx.write(sql("delete from product where id = 7"));
          return tx.read_one<std::int64_t>(sql("select count(*) from product"));
        },
        asio::use_awaitable);
    CHECK(count == 2);
    auto bad = co_await s.client.async_write(sql("insert into product (id, name) values (1, 'x')"),
                                             scalekit::as_result(asio::use_awaitable));
    CHECK(bad.has_error());
    CHECK(bad.error().code() == errc::constraint_violation);
    finished = true;
  };
  asio::co_spawn(io, story(), [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  });
  io.run();

  CHECK(finished);
}

TEST_CASE("db: an async transaction whose function throws is rolled back") {
  shop s;

  auto done = s.client.async_transaction(
      [](db::transaction& tx) {
        tx.write(sql("delete from product"));
        throw error(errc::conflict, "changed my mind");
      },
      asio::use_future);

  CHECK_ERRC(done.get(), errc::conflict);
  CHECK(s.count() == 2);
}

TEST_CASE("db: a blocking call on an I/O thread is refused") {
  shop s;
  scalekit::io_thread_mark mark;

  CHECK_ERRC(s.client.read<int>(sql("select 1")), errc::not_allowed);
  CHECK_ERRC(s.client.begin(), errc::not_allowed);
}

TEST_CASE("db: after close every call says so") {
  asio::io_context io;
  shop s({}, scalekit::execution(io.get_executor()));

  s.client.close();

  CHECK_ERRC(s.client.read<int>(sql("select 1")), errc::closed);
  CHECK_ERRC(s.client.begin(), errc::closed);
  boost::system::error_code code;
  s.client.async_read<int>(sql("select 1"), [&](std::exception_ptr e, std::vector<int>) {
    code = scalekit::to_error(e).code();
  });
  io.run();
  CHECK(code == errc::closed);
}

TEST_CASE("db: closing stops what is still running when its time is over") {
  shop s;
  auto running = s.client.async_read<std::int64_t>(unsafe_sql(s.backend->endless_read()),
                                                   {.timeout = 20s}, asio::use_future);
  while (s.client.statistics().readers.busy + s.client.statistics().writer.busy == 0) {
    std::this_thread::yield();
  }

  s.client.close(0ms);

  CHECK_ERRC(running.get(), errc::closed);
}

}  // namespace db_suite

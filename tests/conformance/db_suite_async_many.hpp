#pragma once

// Many rows without a thread that waits.

#include "conformance/db_suite_fixture.hpp"
#include "conformance/db_suite_stream.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace db_suite {

namespace asio = boost::asio;

/// A shop whose calls complete on a loop of the test's own.
struct loop_shop {
  asio::io_context io;
  shop s;

  explicit loop_shop(db::client_params params = {})
      : s(std::move(params), scalekit::execution(io.get_executor())) {}

  /// Runs the loop until `story` is over.
  void tell(asio::awaitable<void> story) {
    bool finished = false;
    asio::co_spawn(io, std::move(story), [&](std::exception_ptr e) {
      finished = true;
      if (e) std::rethrow_exception(e);
    });
    io.restart();
    io.run();
    CHECK(finished);
  }
};

inline constexpr std::int64_t endless = 1'000'000'000;

TEST_CASE(
    "db: an async read hands rows over one by one, in order, on the executor of its handler") {
  loop_shop l;
  std::vector<product> seen;
  std::int64_t sum = 0, elsewhere = 0;
  const auto here = std::this_thread::get_id();

  l.tell([&]() -> asio::awaitable<void> {
    const auto few = co_await l.s.client.async_read_each<product>(
        sql("select price, id, name from product order by id"),
        [&](product&& p) { seen.push_back(std::move(p)); }, asio::use_awaitable);
    CHECK(few == 2);
    const auto none = co_await l.s.client.async_read_each<std::int64_t>(
        sql("select id from product where id > 10"), [](std::int64_t) { FAIL("no row"); },
        asio::use_awaitable);
    CHECK(none == 0);
    const auto many = co_await l.s.client.async_read_each<std::int64_t>(
        numbers(20'000),
        [&](std::int64_t n) {
          elsewhere += std::this_thread::get_id() == here ? 0 : 1;
          sum += n;
        },
        {.timeout = 60s}, asio::use_awaitable);
    CHECK(many == 20'000);
  }());

  CHECK(seen == l.s.client.read<product>(sql("select id, name, price from product order by id")));
  CHECK(sum == 200'010'000);
  CHECK(elsewhere == 0);
}

TEST_CASE("db: an async read completes on a loop that is not the client's") {
  // It outlives the client, which may still be about to leave it when the answer is there.
  asio::io_context io;
  shop s;
  std::int64_t rows = 0;
  std::optional<std::uint64_t> count;

  s.client.async_read_each<std::int64_t>(
      numbers(2000), [&](std::int64_t) { ++rows; },
      asio::bind_executor(io, [&](const std::exception_ptr& e, std::uint64_t n) {
        CHECK_FALSE(e);
        count = n;
      }));
  CHECK(rows == 0);
  io.run();

  CHECK(rows == 2000);
  CHECK(count == 2000);
}

TEST_CASE("db: what the function throws stops an async read, and the client goes on") {
  loop_shop l({.pool = {.min = 1, .max = 1}});
  struct enough {};
  struct {
    std::int64_t rows, last;
  } const cases[] = {{3, 3}, {100'000, 3}, {endless, 1000}};

  for (const auto& one : cases) {
    CAPTURE(one.rows);
    std::int64_t seen = 0;
    l.tell([&]() -> asio::awaitable<void> {
      try {
        co_await l.s.client.async_read_each<std::int64_t>(
            numbers(one.rows),
            [&seen, at = one.last](std::int64_t n) {
              seen = n;
              if (n == at) throw enough{};
            },
            {.timeout = 60s}, asio::use_awaitable);
        FAIL("it throws");
      } catch (const enough&) {
      }
      const auto left = co_await l.s.client.async_read<std::int64_t>(
          sql("select count(*) from product"), asio::use_awaitable);
      CHECK(left.front() == 2);
    }());
    CHECK(seen == one.last);
  }
}

TEST_CASE("db: an async read of row after row ends at its limits, its deadline and its stop") {
  shop s;
  std::int64_t rows = 0;
  auto read = [&](std::int64_t count, db::call_options options, db::stream_limits limits) {
    rows = 0;
    return s.client
        .async_read_each<std::int64_t>(
            numbers(count), [&](std::int64_t) { ++rows; }, std::move(options), limits,
            asio::use_future)
        .get();
  };

  auto e = error_of([&] { read(1001, {}, {.max_rows = 1000}); });
  CHECK(e.code() == errc::too_large);
  CHECK(contains(e.what(), "max_rows, 1000"));
  CHECK(rows == 1000);
  CHECK(read(1000, {}, {.max_rows = 1000}) == 1000);
  CHECK_ERRC(read(11, {}, {.max_bytes = 80}), errc::too_large);
  CHECK(rows == 10);

  CHECK_ERRC(read(endless, {.timeout = 50ms}, {}), errc::execution_timeout);
  std::stop_source stop;
  CHECK_ERRC(s.client
                 .async_read_each<std::int64_t>(
                     numbers(endless),
                     [&](std::int64_t n) {
                       rows = n;
                       if (n == 500) stop.request_stop();
                     },
                     {.timeout = 60s, .stop = stop.get_token()}, asio::use_future)
                 .get(),
             errc::cancelled);
  CHECK(rows == 500);
  CHECK(s.count() == 2);
}

TEST_CASE("db: the deadline ends an async read whose function is slow, on a loop of one thread") {
  loop_shop l;
  std::int64_t rows = 0;

  l.tell([&]() -> asio::awaitable<void> {
    const auto done = co_await l.s.client.async_read_each<std::int64_t>(
        numbers(endless),
        [&](std::int64_t) {
          ++rows;
          std::this_thread::sleep_for(2ms);
        },
        {.timeout = 200ms}, scalekit::as_result(asio::use_awaitable));
    REQUIRE(done.has_error());
    CHECK(done.error().code() == errc::execution_timeout);
  }());

  CHECK(rows < 256);
  CHECK(l.s.count() == 2);
}

TEST_CASE("db: cancelling an async read stops its rows") {
  loop_shop l({.pool = {.min = 1, .max = 1}});
  asio::cancellation_signal signal;
  std::int64_t rows = 0, at_stop = 0;
  boost::system::error_code code;
  asio::steady_timer timer(l.io);

  l.s.client.async_read_each<std::int64_t>(
      numbers(endless),
      [&](std::int64_t) {
        if (++rows > 1) return;
        timer.expires_after(20ms);
        timer.async_wait([&](auto) {
          at_stop = rows;
          signal.emit(asio::cancellation_type::terminal);
        });
      },
      {.timeout = 60s},
      asio::bind_cancellation_slot(signal.slot(),
                                   [&](const std::exception_ptr& e, std::uint64_t count) {
                                     code = scalekit::to_error(e).code();
                                     CHECK(count == 0);
                                   }));
  l.io.run();

  CHECK(code == errc::cancelled);
  CHECK(at_stop > 0);
  CHECK(rows == at_stop);
  CHECK(l.s.count() == 2);
}

TEST_CASE("db: an async read of row after row fails as any other") {
  shop s;
  auto nothing = [](auto&&) {};
  auto read = [&]<class Row>(Row, db::statement query) {
    return s.client.async_read_each<Row>(std::move(query), nothing, asio::use_future).get();
  };

  CHECK_ERRC(read(std::string(), sql("select id from product")), errc::column_mismatch);
  CHECK_ERRC(read(std::tuple<int, int>(), sql("select id from product")), errc::column_mismatch);
  CHECK_ERRC(read(0, sql("select id from nowhere")), errc::invalid_statement);
  CHECK_ERRC(read(0, sql("delete from product")), errc::not_allowed);
  CHECK_ERRC(read(0, sql("select $1 + 1")), errc::parameter_mismatch);
  CHECK(s.count() == 2);

  s.client.close();
  CHECK_ERRC(read(0, sql("select 1")), errc::closed);
}

TEST_CASE("db: closing stops an async read whose rows are not consumed") {
  // It outlives the client, which may still be about to leave it when the answer is there.
  asio::io_context io;
  shop s;
  boost::system::error_code code;
  std::int64_t rows = 0;
  s.client.async_read_each<std::int64_t>(
      numbers(endless), [&](std::int64_t) { ++rows; }, {.timeout = 60s},
      asio::bind_executor(io, [&](const std::exception_ptr& e, std::uint64_t) {
        code = scalekit::to_error(e).code();
      }));
  while (io.poll_one() == 0) std::this_thread::yield();

  s.client.close(0ms);
  io.run();

  CHECK(code == errc::closed);
  CHECK(rows > 0);
}

TEST_CASE("db: the function and the handler of an async read may drop the client") {
  asio::io_context io;
  auto backend = make_database();
  std::optional<db::client> client = backend->open({}, scalekit::execution(io.get_executor()));
  std::int64_t rows = 0;
  std::optional<std::uint64_t> count;

  client->async_read_each<std::int64_t>(
      numbers(2000),
      [&](std::int64_t) {
        client.reset();
        ++rows;
      },
      [&](const std::exception_ptr& e, std::uint64_t n) {
        CHECK_FALSE(e);
        count = n;
      });
  io.run();
  CHECK(rows == 2000);
  CHECK(count == 2000);

  client = backend->open({}, scalekit::execution(io.get_executor()));
  client->async_read_each<std::int64_t>(
      numbers(2000),
      [held = *client](std::int64_t) { CHECK(held.statistics().failed_statements == 0); },
      [&](const std::exception_ptr& e, std::uint64_t) {
        CHECK_FALSE(e);
        client.reset();
      });
  io.restart();
  io.run();
  CHECK_FALSE(client.has_value());
}

}  // namespace db_suite

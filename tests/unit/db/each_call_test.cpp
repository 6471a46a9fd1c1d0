#include "scalekit/db/detail/each_call.hpp"

#include "support/throws_errc.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <source_location>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace db = scalekit::db;
using namespace std::chrono_literals;
using scalekit::errc;
using scalekit::error;
using scalekit::value_view;

namespace {

struct host_error {};

/// Whoever calls: a loop, and the answer.
struct caller {
  asio::io_context io;
  bool answered = false;
  std::exception_ptr failure;
  std::uint64_t count = 0;

  /// A call whose driver is the test.
  template <class Row, class Each, class Handler>
  auto start(Each each, Handler handler, const db::stream_limits& limits = {},
             std::stop_token stop = {}) {
    const scalekit::execution exec(io.get_executor());
    auto on = asio::get_associated_executor(handler, exec.completion_executor());
    auto op = db::detail::pending<std::uint64_t>::start(std::move(handler), exec);
    return std::make_shared<db::detail::each_call<Row, Each, decltype(on)>>(
        std::move(op), std::move(on), std::move(each), limits, std::move(stop),
        std::source_location::current());
  }
  template <class Row, class Each>
  auto start(Each each, const db::stream_limits& limits = {}, std::stop_token stop = {}) {
    return start<Row>(
        std::move(each), [this](std::exception_ptr e, std::uint64_t n) { hear(std::move(e), n); },
        limits, std::move(stop));
  }

  void hear(std::exception_ptr e, std::uint64_t n) {
    CHECK_FALSE(answered);
    answered = true;
    failure = std::move(e);
    count = n;
  }
  /// Everything that is ready.
  void turn() {
    io.restart();
    io.poll();
  }
};

/// What a driver hears of the rows that it handed over.
struct verdict {
  bool heard = false;
  std::exception_ptr failure;

  auto listen() {
    return [this](std::exception_ptr e) {
      heard = true;
      failure = std::move(e);
    };
  }
};

void give(db::detail::async_call& to, std::int64_t first, std::int64_t last) {
  for (auto n = first; n <= last; ++n) {
    const value_view row(n);
    to.rows()->accept(&row);
  }
}

std::exception_ptr timeout() {
  return std::make_exception_ptr(error(errc::execution_timeout, "too late"));
}

}  // namespace

TEST_CASE("rows are consumed where the handler belongs, and the driver is told when they are") {
  caller c;
  std::vector<std::int64_t> seen;
  auto call = c.start<std::int64_t>([&](std::int64_t n) { seen.push_back(n); });
  verdict v;

  give(*call, 1, 255);
  CHECK_FALSE(call->rows()->is_full());
  give(*call, 256, 256);
  CHECK(call->rows()->is_full());
  call->hand_over(v.listen());
  CHECK(seen.empty());
  c.turn();

  CHECK(v.heard);
  CHECK_FALSE(v.failure);
  CHECK(seen.size() == 256);
  CHECK(seen.back() == 256);
  CHECK_FALSE(call->rows()->is_full());
  CHECK_FALSE(c.answered);
}

TEST_CASE("what is left at the end is consumed before the answer") {
  caller c;
  std::int64_t sum = 0;
  auto call = c.start<std::int64_t>([&](std::int64_t n) {
    CHECK_FALSE(c.answered);
    sum += n;
  });

  give(*call, 1, 3);
  call->finish(nullptr, {});
  CHECK(sum == 0);
  c.turn();

  CHECK(c.answered);
  CHECK_FALSE(c.failure);
  CHECK(c.count == 3);
  CHECK(sum == 6);
}

TEST_CASE("a driver that reads on at once hands over batch after batch, in order") {
  caller c;
  std::vector<std::int64_t> seen;
  auto call = c.start<std::int64_t>([&](std::int64_t n) { seen.push_back(n); });
  std::int64_t next = 1;
  std::function<void(std::exception_ptr)> read_on = [&](const std::exception_ptr&) {
    while (next <= 1000 && !call->rows()->is_full()) {
      give(*call, next, next);
      ++next;
    }
    next <= 1000 ? call->hand_over(read_on) : call->finish(nullptr, {});
  };

  read_on(nullptr);
  c.turn();

  CHECK(c.answered);
  CHECK(c.count == 1000);
  REQUIRE(seen.size() == 1000);
  for (std::size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == static_cast<std::int64_t>(i) + 1);
}

TEST_CASE("large rows are handed over one by one, and limits count all of them") {
  caller c;
  std::size_t bytes = 0;
  auto call = c.start<std::string>([&](const std::string& text) { bytes += text.size(); },
                                   {.max_bytes = 150'000});
  const std::string large(70'000, 'x');
  const value_view row{std::string_view(large)};
  verdict v;

  call->rows()->accept(&row);
  CHECK(call->rows()->is_full());
  call->hand_over(v.listen());
  c.turn();
  CHECK_FALSE(call->rows()->is_full());
  call->rows()->accept(&row);
  CHECK(call->rows()->is_full());

  CHECK_ERRC(call->rows()->accept(&row), errc::too_large);
  call->finish(timeout(), {});
  c.turn();
  CHECK(bytes == 140'000);
}

TEST_CASE("a row can be a bool") {
  caller c;
  int seen = 0;
  auto call = c.start<bool>([&](bool&& yes) { seen += yes ? 1 : 10; });

  give(*call, 0, 1);
  call->finish(nullptr, {});
  c.turn();

  CHECK(seen == 11);
}

TEST_CASE("what the function throws reaches the driver, then the caller, and no more rows come") {
  caller c;
  int rows = 0;
  auto call = c.start<std::int64_t>([&](std::int64_t) {
    if (++rows == 2) throw host_error{};
  });
  verdict v;

  give(*call, 1, 4);
  call->hand_over(v.listen());
  c.turn();
  REQUIRE(v.failure);
  CHECK_FALSE(c.answered);
  call->finish(v.failure, {});
  c.turn();

  CHECK(rows == 2);
  REQUIRE(c.answered);
  CHECK_THROWS_AS(std::rethrow_exception(c.failure), host_error);
  CHECK(c.count == 0);
}

TEST_CASE("what the function throws for the last rows is what the call completes with") {
  caller c;
  auto call = c.start<std::int64_t>([](std::int64_t) { throw host_error{}; });

  give(*call, 1, 4);
  call->finish(nullptr, {});
  c.turn();

  REQUIRE(c.answered);
  CHECK_THROWS_AS(std::rethrow_exception(c.failure), host_error);
}

TEST_CASE("a call that ends while rows are consumed is answered when the function has returned") {
  caller c;
  int rows = 0;
  std::shared_ptr<db::detail::async_call> call;
  call = c.start<std::int64_t>([&](std::int64_t) {
    ++rows;
    call->finish(timeout(), {});
    c.io.poll();
    CHECK_FALSE(c.answered);
  });
  verdict v;

  give(*call, 1, 4);
  call->hand_over(v.listen());
  c.turn();

  CHECK(rows == 1);
  REQUIRE(c.answered);
  CHECK(scalekit::to_error(c.failure).code() == errc::execution_timeout);
}

TEST_CASE("rows that had come before a failure are consumed before the answer") {
  caller c;
  int rows = 0;
  auto call = c.start<std::int64_t>([&](std::int64_t) { ++rows; });

  give(*call, 1, 4);
  call->finish(timeout(), {});
  c.turn();

  CHECK(rows == 4);
  CHECK(scalekit::to_error(c.failure).code() == errc::execution_timeout);
}

TEST_CASE("after a stop the function gets no further row") {
  for (const bool is_last : {false, true}) {
    CAPTURE(is_last);
    caller c;
    std::stop_source stop;
    int rows = 0;
    auto call = c.start<std::int64_t>(
        [&](std::int64_t) {
          ++rows;
          stop.request_stop();
        },
        {}, stop.get_token());
    verdict v;

    give(*call, 1, 4);
    is_last ? call->finish(nullptr, {}) : call->hand_over(v.listen());
    c.turn();
    if (!is_last) {
      REQUIRE(v.failure);
      call->finish(v.failure, {});
      c.turn();
    }

    CHECK(rows == 1);
    REQUIRE(c.answered);
    const auto e = scalekit::to_error(c.failure);
    CHECK(e.code() == errc::cancelled);
    CHECK(support::contains(e.what(), "cancelled after 1 rows"));
  }
}

TEST_CASE("others on the executor get their turn while rows are consumed slowly") {
  caller c;
  int rows = 0, rows_before_other = 0;
  auto call = c.start<std::int64_t>([&](std::int64_t) {
    if (++rows == 1) asio::post(c.io, [&] { rows_before_other = rows; });
    const auto until = std::chrono::steady_clock::now() + 600us;
    while (std::chrono::steady_clock::now() < until) {
    }
  });

  give(*call, 1, 10);
  call->finish(nullptr, {});
  c.turn();

  CHECK(rows == 10);
  CHECK(rows_before_other > 0);
  CHECK(rows_before_other <= 2);
}

TEST_CASE("the function is gone before the handler is called") {
  caller c;
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = held;
  bool was_gone = false;
  auto call = c.start<std::int64_t>(
      [held = std::move(held)](std::int64_t) { CHECK(*held == 1); },
      [&](const std::exception_ptr&, std::uint64_t) { was_gone = watched.expired(); });

  give(*call, 1, 1);
  call->finish(nullptr, {});
  c.turn();

  CHECK(was_gone);
}

TEST_CASE("where the executor goes, what was to be told goes with it") {
  auto told = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = told;
  {
    caller c;
    auto call = c.start<std::int64_t>([](std::int64_t) { FAIL("not consumed"); });
    give(*call, 1, 1);
    call->hand_over([told = std::move(told)](const std::exception_ptr&) { FAIL("not told"); });
    call.reset();
    CHECK_FALSE(watched.expired());
  }

  CHECK(watched.expired());
}

TEST_CASE("a handler without a type of its own does as well") {
  caller c;
  int rows = 0;
  asio::any_completion_handler<void(std::exception_ptr, std::uint64_t)> handler =
      [&](std::exception_ptr e, std::uint64_t n) { c.hear(std::move(e), n); };
  auto call = c.start<std::int64_t>([&](std::int64_t) { ++rows; }, std::move(handler));
  verdict v;

  give(*call, 1, 3);
  call->hand_over(v.listen());
  c.turn();
  CHECK(v.heard);
  give(*call, 4, 5);
  call->finish(nullptr, {});
  c.turn();

  CHECK(rows == 5);
  CHECK(c.count == 5);
}

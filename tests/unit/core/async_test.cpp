#include "scalekit/core/async.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <array>
#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace asio = boost::asio;
using scalekit::errc;

namespace {

auto async_add(const scalekit::execution& exec, int a, int b, auto&& token) {
  return scalekit::async_blocking<int>(
      exec, [a, b](std::stop_token) { return a + b; }, std::forward<decltype(token)>(token));
}

auto async_fail(const scalekit::execution& exec, auto&& token) {
  return scalekit::async_blocking<int>(
      exec,
      [](std::stop_token) -> int {
        throw scalekit::error(errc::conflict, "lost against another transaction");
      },
      std::forward<decltype(token)>(token));
}

/// Blocks until stopped, as a query does.
auto async_wait_for_stop(const scalekit::execution& exec, auto&& token) {
  return scalekit::async_blocking<int>(
      exec,
      [](std::stop_token stop) -> int {
        std::mutex m;
        std::condition_variable_any cv;
        std::unique_lock lock(m);
        cv.wait(lock, stop, [] { return false; });
        throw scalekit::error(errc::cancelled, "stopped");
      },
      std::forward<decltype(token)>(token));
}

}  // namespace

TEST_CASE("a future receives the value or the exception with its diagnostics") {
  scalekit::execution exec;

  CHECK(async_add(exec, 2, 3, asio::use_future).get() == 5);
  try {
    async_fail(exec, asio::use_future).get();
    FAIL("must throw");
  } catch (const scalekit::error& e) {
    CHECK(e.code() == errc::conflict);
    CHECK(e.diag().client_message == "lost against another transaction");
  }
}

TEST_CASE("a coroutine is resumed on its own executor and sees the error as an exception") {
  asio::io_context io;
  scalekit::execution exec{io.get_executor()};
  auto main_thread = std::this_thread::get_id();
  int sum = 0;
  bool caught = false;

  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        sum = co_await async_add(exec, 1, 1, asio::use_awaitable);
        CHECK(std::this_thread::get_id() == main_thread);
        try {
          co_await async_fail(exec, asio::use_awaitable);
        } catch (const scalekit::error& e) {
          caught = e.code() == errc::conflict;
        }
      },
      asio::detached);
  io.run();

  CHECK(sum == 2);
  CHECK(caught);
}

TEST_CASE("as_result delivers the error as a value, and nothing throws") {
  asio::io_context io;
  scalekit::execution exec{io.get_executor()};
  bool seen = false;

  asio::co_spawn(
      io,
      [&]() -> asio::awaitable<void> {
        auto good = co_await async_add(exec, 20, 22, scalekit::as_result(asio::use_awaitable));
        CHECK(good.value() == 42);
        auto bad = co_await async_fail(exec, scalekit::as_result(asio::use_awaitable));
        CHECK(bad.has_error());
        CHECK(bad.error().diag().client_message == "lost against another transaction");
        CHECK_THROWS_AS(bad.value(), scalekit::error);
        seen = true;
      },
      asio::detached);
  io.run();

  CHECK(seen);
}

TEST_CASE("emitting the cancellation slot stops the operation, whatever the type") {
  using type = asio::cancellation_type;
  for (const auto how : {type::total, type::partial, type::terminal}) {
    asio::io_context io;
    scalekit::execution exec{io.get_executor()};
    asio::cancellation_signal signal;
    boost::system::error_code code;

    async_wait_for_stop(exec,
                        asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, int) {
                          code = scalekit::to_error(e).code();
                        }));
    asio::post(io, [&] { signal.emit(how); });
    io.run();

    CHECK(code == errc::cancelled);
  }
}

TEST_CASE("a full work pool completes the operation with shed") {
  asio::io_context io;
  scalekit::execution exec{io.get_executor(), {.threads = 1, .max_queued = 1}};
  std::array<asio::cancellation_signal, 5> signals;
  int shed = 0;

  for (auto& signal : signals) {
    async_wait_for_stop(exec,
                        asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, int) {
                          shed += scalekit::to_error(e).code() == errc::shed;
                        }));
  }
  asio::post(io, [&] {
    for (auto& signal : signals) signal.emit(asio::cancellation_type::total);
  });
  io.run();

  CHECK(shed >= 3);  // one runs, one waits
  CHECK(shed <= 4);
}

TEST_CASE("what a handler throws reaches the loop that runs it, and completes nothing twice") {
  asio::io_context io;
  scalekit::execution exec{io.get_executor(), asio::any_io_executor(io.get_executor())};
  int calls = 0;

  async_add(exec, 1, 2, [&](std::exception_ptr, int) {
    ++calls;
    throw std::runtime_error("thrown by the handler");
  });

  CHECK_THROWS_WITH_AS(io.run(), "thrown by the handler", std::runtime_error);
  io.restart();
  io.run();
  CHECK(calls == 1);
}

TEST_CASE("an exception of the host's own reaches the caller as it is, a result wraps it") {
  asio::io_context io;
  scalekit::execution exec{io.get_executor()};
  auto start = [&](auto&& token) {
    return scalekit::async_blocking<int>(
        exec, [](std::stop_token) -> int { throw std::logic_error("loader failed"); },
        std::forward<decltype(token)>(token));
  };
  bool seen_as_it_is = false;
  scalekit::error wrapped;

  start([&](std::exception_ptr e, int) {
    try {
      std::rethrow_exception(e);
    } catch (const std::logic_error&) {
      seen_as_it_is = true;
    }
  });
  start(scalekit::as_result([&](scalekit::result<int> r) { wrapped = r.error(); }));
  io.run();

  CHECK(seen_as_it_is);
  CHECK(wrapped.code() == errc::backend_error);
  CHECK(wrapped.diag().server_message == "loader failed");
}

TEST_CASE("dropping the last handle on the pool's own thread does not deadlock") {
  std::promise<void> dropped;
  {
    auto exec = std::make_shared<scalekit::execution>();
    auto& ref = *exec;
    ref.post_work([exec = std::move(exec), &dropped]() mutable {
      exec.reset();
      dropped.set_value();
    });
  }
  dropped.get_future().get();
  CHECK(true);
}

#include "scalekit/core/runtime.hpp"

#include "scalekit/core/async.hpp"
#include "scalekit/core/error.hpp"
#include "support/throws_errc.hpp"

#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>

namespace asio = boost::asio;
using namespace std::chrono_literals;
using scalekit::errc;
using scalekit::io_thread_mark;
using scalekit::runtime;

namespace {

std::thread::id thread_of(asio::io_context& loop) {
  std::promise<std::thread::id> id;
  asio::post(loop, [&] { id.set_value(std::this_thread::get_id()); });
  return id.get_future().get();
}

boost::system::error_code blocking_call() {
  try {
    io_thread_mark::check_blocking_allowed("client::read");
  } catch (const scalekit::error& e) {
    CHECK(e.diag().client_message ==
          "client::read would block an I/O thread; use its async_ form, or call it on another "
          "thread");
    return e.code();
  }
  return {};
}

/// Tells when its loop is destroyed.
struct witness : asio::execution_context::service {
  using key_type = witness;
  static inline asio::execution_context::id id;

  witness(asio::execution_context& owner, std::atomic<bool>& is_gone)
      : service(owner), is_gone_(is_gone) {}
  void shutdown() override { is_gone_ = true; }

  std::atomic<bool>& is_gone_;
};

}  // namespace

TEST_CASE("each loop has a thread of its own, and they are given out in turn") {
  runtime rt({.threads = 3});
  std::set<std::thread::id> threads;

  for (int i = 0; i < 3; ++i) threads.insert(thread_of(rt.next_loop()));
  auto& again = rt.next_loop();

  CHECK(rt.threads() == 3);
  CHECK(threads.size() == 3);
  CHECK(threads.contains(thread_of(again)));
  CHECK_FALSE(threads.contains(std::this_thread::get_id()));
}

TEST_CASE("a blocking call is refused on a loop's thread and allowed on a pool's") {
  runtime rt;
  std::promise<boost::system::error_code> on_loop;
  std::promise<boost::system::error_code> on_pool;

  asio::post(rt.next_loop(), [&] { on_loop.set_value(blocking_call()); });
  rt.execution().post_work([&] { on_pool.set_value(blocking_call()); });

  CHECK(on_loop.get_future().get() == errc::not_allowed);
  CHECK_FALSE(on_pool.get_future().get().failed());
  CHECK_FALSE(blocking_call().failed());
}

TEST_CASE("a thread stays marked until its outermost mark dies") {
  {
    io_thread_mark outer;
    { io_thread_mark inner; }
    CHECK(blocking_call() == errc::not_allowed);
  }
  CHECK_FALSE(blocking_call().failed());
}

TEST_CASE("the clients of a runtime share its bounded work pool") {
  // Before the runtime, whose destructor waits for the task that uses them.
  std::promise<void> begun;
  std::promise<void> release;
  runtime rt({.threads = 2, .work = {.threads = 1, .max_queued = 1}});
  auto one = rt.execution();
  auto other = rt.execution();
  boost::system::error_code code;

  one.post_work([&] {
    begun.set_value();
    release.get_future().get();
  });
  begun.get_future().get();
  one.post_work([] {});
  try {
    other.post_work([] {});
  } catch (const scalekit::error& e) {
    code = e.code();
  }
  release.set_value();

  CHECK(code == errc::shed);
}

TEST_CASE("the destructor does not wait for outstanding operations") {
  auto timer_left = std::make_shared<int>(0);
  {
    runtime rt;
    auto timer = std::make_shared<asio::steady_timer>(rt.next_loop(), 24h);
    timer->async_wait([timer, timer_left](boost::system::error_code) { ++*timer_left; });
  }
  CHECK(*timer_left == 0);
  CHECK(timer_left.use_count() == 1);  // its handler is gone
}

TEST_CASE("the loops outlive the tasks of the work pool, which complete on them") {
  std::atomic<bool> is_loop_gone{false};
  std::promise<void> begun;
  bool saw_loop_gone = false;
  std::optional<scalekit::execution> held_elsewhere;
  {
    runtime rt;
    asio::make_service<witness>(rt.next_loop(), is_loop_gone);
    held_elsewhere = rt.execution();
    held_elsewhere->post_work([&] {
      begun.set_value();
      // Where the loop goes first, it goes now; where it stays, the destructor waits for this.
      for (int i = 0; i < 50 && !is_loop_gone; ++i) std::this_thread::sleep_for(1ms);
      saw_loop_gone = is_loop_gone;
    });
    begun.get_future().get();
  }
  CHECK_FALSE(saw_loop_gone);
  CHECK(is_loop_gone);
  CHECK_ERRC(held_elsewhere->post_work([] {}), errc::closed);
}

TEST_CASE("a loop may go when it has run out of work, whatever the thread that completed it does") {
  const auto pool = std::make_shared<scalekit::work_pool>(scalekit::work_pool_params{.threads = 2});
  for (int i = 0; i < 3000; ++i) {
    int sum = 0;
    {
      asio::io_context loop(1);
      scalekit::async_blocking<int>(
          scalekit::execution(loop.get_executor(), pool), [](std::stop_token) { return 1; },
          [&](std::exception_ptr, int one) { sum += one; });
      loop.run();
    }
    REQUIRE(sum == 1);
  }
}

TEST_CASE("a loop that a handler has stopped may go once the work pool is closed") {
  for (int i = 0; i < 500; ++i) {
    int sum = 0;
    {
      asio::io_context loop(1);
      const auto pool =
          std::make_shared<scalekit::work_pool>(scalekit::work_pool_params{.threads = 1});
      scalekit::async_blocking<int>(
          scalekit::execution(loop.get_executor(), pool), [](std::stop_token) { return 1; },
          [&](std::exception_ptr, int one) {
            sum += one;
            loop.stop();
          });
      loop.run();
      pool->close();
    }
    REQUIRE(sum == 1);
  }
}

TEST_CASE("a runtime may go in the midst of calls, whoever still holds its work pool") {
  for (int i = 0; i < 300; ++i) {
    auto rt =
        std::make_unique<runtime>(scalekit::runtime_params{.threads = 2, .work = {.threads = 2}});
    const auto exec = rt->execution();
    for (int call = 0; call < 8; ++call) {
      // The handler, which may never run, holds the pool as well.
      scalekit::async_blocking<int>(
          exec, [](std::stop_token) { return 1; }, [exec](std::exception_ptr, int) {});
    }
    rt.reset();
    CHECK_ERRC(exec.post_work([] {}), errc::closed);
  }
}

TEST_CASE("a runtime's settings out of range are refused") {
  CHECK_THROWS_WITH_AS(runtime({.threads = 0}), "runtime_params.threads is 0; legal: 1 to 256",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(runtime({.work = {.threads = 0}}),
                       "work_pool_params.threads is 0; legal: 1 to 1024", std::invalid_argument);
}

#include "scalekit/core/work_pool.hpp"

#include "scalekit/core/async.hpp"
#include "scalekit/core/error.hpp"
#include "support/throws_errc.hpp"

#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <pthread.h>
#include <semaphore>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using scalekit::errc;
using scalekit::work_pool;

namespace {

/// Keeps a pool's only thread busy until released. Must outlive the pool.
struct blocker {
  std::binary_semaphore begun{0};
  std::binary_semaphore release{0};

  void occupy(work_pool& pool) {
    pool.post([this] {
      begun.release();
      release.acquire();
    });
    begun.acquire();
  }
};

}  // namespace

TEST_CASE("no thread starts before the first task") {
  const work_pool pool({.threads = 1024});

  CHECK(pool.threads() == 1024);
  CHECK(pool.queued() == 0);
}

TEST_CASE("tasks run on threads of the pool, under its name") {
  work_pool pool({.threads = 1, .name = "sk-test"});
  std::promise<std::string> name;

  pool.post([&] {
    char text[16] = {};
    pthread_getname_np(pthread_self(), text, sizeof text);
    name.set_value(text);
  });

  CHECK(name.get_future().get() == "sk-test");
}

TEST_CASE("what exceeds the bound is shed with the numbers, and the rest runs") {
  std::atomic<int> ran{0};
  {
    blocker busy;
    work_pool pool({.threads = 1, .max_queued = 2, .name = "small"});
    busy.occupy(pool);
    pool.post([&] { ++ran; });
    pool.post([&] { ++ran; });

    CHECK(pool.queued() == 2);
    try {
      pool.post([&] { ++ran; });
      FAIL("must throw");
    } catch (const scalekit::error& e) {
      CHECK(e.code() == errc::shed);
      CHECK(e.diag().client_message == "work pool small is full: 2 tasks wait for 1 threads");
    }
    CHECK(pool.queued() == 2);
    busy.release.release();
  }
  CHECK(ran == 2);
}

TEST_CASE("what is posted to the pool's executor overtakes the tasks that wait") {
  std::vector<int> order;
  {
    blocker busy;
    work_pool pool({.threads = 1});
    busy.occupy(pool);
    for (int task : {1, 2, 3}) pool.post([&order, task] { order.push_back(task); });
    boost::asio::post(pool.executor(), [&] { order.push_back(0); });
    busy.release.release();
  }
  CHECK(order == std::vector{0, 1, 2, 3});
}

TEST_CASE("without an I/O executor, a refusal is heard of before the tasks that wait have run") {
  boost::system::error_code code;
  bool heard_first = false;
  {
    blocker busy;
    auto pool =
        std::make_shared<work_pool>(scalekit::work_pool_params{.threads = 1, .max_queued = 1});
    const scalekit::execution exec({}, pool);
    busy.occupy(*pool);
    pool->post([&] { heard_first = code.failed(); });
    scalekit::async_blocking<int>(
        exec, [](std::stop_token) { return 1; },
        [&](std::exception_ptr e, int) { code = scalekit::to_error(e).code(); });
    busy.release.release();
  }
  CHECK(code == errc::shed);
  CHECK(heard_first);
}

TEST_CASE("the destructor runs what is queued before it returns") {
  std::atomic<int> ran{0};
  {
    work_pool pool({.threads = 2});
    for (int i = 0; i < 500; ++i) pool.post([&] { ++ran; });
  }
  CHECK(ran == 500);
}

TEST_CASE("a task posted while the pool closes is refused with closed") {
  boost::system::error_code code;
  auto pool = std::make_unique<work_pool>(scalekit::work_pool_params{.threads = 1});
  auto* raw = pool.get();
  std::promise<void> begun;

  raw->post([&] {
    begun.set_value();
    // Until the destructor has begun, tasks are taken; then the refusal comes.
    while (!code.failed()) {
      try {
        raw->post([] {});
        std::this_thread::yield();
      } catch (const scalekit::error& e) {
        if (e.code() != errc::shed) code = e.code();
      }
    }
  });
  begun.get_future().get();
  pool.reset();

  CHECK(code == errc::closed);
}

TEST_CASE("closing runs what is queued, and joins, whoever holds the pool") {
  std::atomic<int> ran{0};
  const auto pool = std::make_shared<work_pool>(scalekit::work_pool_params{.threads = 2});
  const scalekit::execution other({}, pool);
  for (int i = 0; i < 500; ++i) pool->post([&] { ++ran; });

  pool->close();

  CHECK(ran == 500);
  CHECK_ERRC(other.post_work([&] { ++ran; }), errc::closed);
  pool->close();
  CHECK(ran == 500);
}

TEST_CASE("a pool is not closed on its own threads, and one never used closes") {
  work_pool pool({.threads = 1});
  std::promise<boost::system::error_code> code;
  pool.post([&] {
    try {
      pool.close();
      code.set_value({});
    } catch (const scalekit::error& e) {
      code.set_value(e.code());
    }
  });

  CHECK(code.get_future().get() == errc::not_allowed);
  work_pool({.threads = 1}).close();
}

TEST_CASE("threads that post at once lose no task") {
  std::atomic<int> ran{0};
  {
    work_pool pool({.threads = 2, .max_queued = 100'000});
    std::vector<std::thread> callers;
    for (int t = 0; t < 3; ++t) {
      callers.emplace_back([&] {
        for (int i = 0; i < 2000; ++i) pool.post([&] { ++ran; });
      });
    }
    for (auto& caller : callers) caller.join();
  }
  CHECK(ran == 6000);
}

TEST_CASE("a pool's settings out of range are refused") {
  auto rejects = [](scalekit::work_pool_params params, const char* message) {
    CHECK_THROWS_WITH_AS(work_pool{params}, message, std::invalid_argument);
  };

  rejects({.threads = 0}, "work_pool_params.threads is 0; legal: 1 to 1024");
  rejects({.threads = 1025}, "work_pool_params.threads is 1025; legal: 1 to 1024");
  rejects({.max_queued = 0}, "work_pool_params.max_queued is 0; legal: 1 to 1000000");
  rejects({.name = "sixteen-bytes-xx"},
          "work_pool_params.name is sixteen-bytes-xx; legal: at most 15 bytes");
}

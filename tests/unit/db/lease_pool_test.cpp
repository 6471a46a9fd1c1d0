#include "db/lease_pool.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <memory>
#include <thread>

using namespace std::chrono_literals;
using scalekit::db::detail::lease;
using scalekit::db::detail::lease_pool;

TEST_CASE("blocking callers that fill the work executor do not hold up an async one") {
  scalekit::execution exec({}, {.threads = 1});
  auto pool = std::make_shared<lease_pool>("reader", 1, 10, exec);
  auto now = std::chrono::steady_clock::now();
  scalekit::db::detail::lease_request request{std::source_location::current(), now, now + 60s};
  std::promise<bool> async_done;
  std::promise<void> blocking_done;
  bool waited = false;
  auto held = pool->take(request, {}, waited);
  // First in the queue is the async caller; behind it, one that takes the only work thread.
  pool->async_take(request, {}, {},
                   [&](std::exception_ptr e, lease) { async_done.set_value(e == nullptr); });
  exec.post_work([&] {
    bool also_waited = false;
    pool->take(request, {}, also_waited);
    blocking_done.set_value();
  });
  while (pool->statistics().waiting < 2) std::this_thread::yield();

  held.give_back();

  auto async = async_done.get_future();
  REQUIRE(async.wait_for(30s) == std::future_status::ready);
  CHECK(async.get());
  CHECK(blocking_done.get_future().wait_for(30s) == std::future_status::ready);
  CHECK(pool->wait_until_idle(std::chrono::steady_clock::now() + 30s));
}

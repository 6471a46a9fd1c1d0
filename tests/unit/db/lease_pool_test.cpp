#include "db/lease_pool.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using scalekit::db::detail::companions;
using scalekit::db::detail::errand;
using scalekit::db::detail::lease;
using scalekit::db::detail::lease_pool;
using scalekit::db::detail::lease_request;

namespace {

lease_request patient() {
  auto now = std::chrono::steady_clock::now();
  return {std::source_location::current(), now, now + 60s};
}

std::shared_ptr<lease_pool> writer() {
  return std::make_shared<lease_pool>("writer", 1, 10, scalekit::execution({}, {.threads = 1}));
}

constexpr auto anybody = [](const errand&) { return true; };

/// Asks for a slot on behalf of an errand, without a thread.
struct asker {
  errand want;
  std::promise<bool> served;

  void ask(lease_pool& pool, std::stop_token stop = {}) {
    auto request = patient();
    request.want = &want;
    pool.async_take(request, std::move(stop), {}, [this](std::exception_ptr e, lease l) {
      e ? served.set_exception(e) : served.set_value(!l);
    });
  }
};

}  // namespace

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

TEST_CASE("whose errand a holder did is told so, blocking and async, and gets no slot") {
  auto pool = writer();
  bool waited = false;
  auto held = pool->take(patient(), {}, waited);
  asker async;
  async.ask(*pool);
  errand blocking;
  std::optional<bool> got_slot;
  std::jthread thread([&] {
    auto request = patient();
    request.want = &blocking;
    bool also_waited = false;
    got_slot = bool(pool->take(request, {}, also_waited));
  });
  while (pool->statistics().waiting < 2) std::this_thread::yield();

  companions others(*pool);
  REQUIRE(others.next(anybody) == &async.want);
  REQUIRE(others.next(anybody) == &blocking);
  CHECK(others.next(anybody) == nullptr);
  async.want.done = blocking.done = true;
  others.part();

  thread.join();
  CHECK(got_slot == false);
  CHECK(async.served.get_future().get());
  CHECK(pool->statistics().busy == 1);
}

TEST_CASE("whose errand a holder could not do gets a slot in turn") {
  auto pool = writer();
  bool waited = false;
  auto held = pool->take(patient(), {}, waited);
  asker first, second;
  first.ask(*pool);
  second.ask(*pool);
  {
    companions others(*pool);
    others.next(anybody);
    others.next(anybody);
    second.want.done = true;
  }

  held.give_back();

  CHECK_FALSE(first.served.get_future().get());
  CHECK(second.served.get_future().get());
}

TEST_CASE("who is stopped while a holder has taken over its errand leaves when it waits again") {
  auto pool = writer();
  bool waited = false;
  auto held = pool->take(patient(), {}, waited);
  asker async;
  std::stop_source stop;
  async.ask(*pool, stop.get_token());
  errand blocking;
  std::optional<std::exception_ptr> failure;
  std::jthread thread([&] {
    auto request = patient();
    request.want = &blocking;
    bool also_waited = false;
    try {
      pool->take(request, stop.get_token(), also_waited);
    } catch (...) {
      failure = std::current_exception();
    }
  });
  while (pool->statistics().waiting < 2) std::this_thread::yield();

  {
    companions others(*pool);
    others.next(anybody);
    others.next(anybody);
    stop.request_stop();
    CHECK(pool->statistics().cancelled_waits == 0);
  }

  thread.join();
  CHECK(failure.has_value());
  CHECK_THROWS(async.served.get_future().get());
  CHECK(pool->statistics().cancelled_waits == 2);
}

TEST_CASE("closing retires each slot once: the free ones at once, a lent one when it comes back") {
  scalekit::execution exec({}, {.threads = 1});
  auto pool = std::make_shared<lease_pool>("reader", 3, 10, exec);
  bool waited = false;
  auto held = pool->take(patient(), {}, waited);
  std::vector<std::size_t> retired;

  pool->close([&](std::size_t slot) { retired.push_back(slot); });
  CHECK(retired == std::vector<std::size_t>{2, 1});

  held.give_back();
  pool->close([&](std::size_t) { retired.clear(); });
  CHECK(retired == std::vector<std::size_t>{2, 1, 0});
  CHECK(pool->wait_until_idle(std::chrono::steady_clock::now()));
}

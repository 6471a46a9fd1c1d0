#include "loop.hpp"
#include "scalekit/redis.hpp"
#include "support/redis/server.hpp"
#include "support/sanitizer.hpp"
#include "support/tcp_proxy.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace redis_tests;
using namespace std::chrono_literals;
using scalekit::redis::client;
using scalekit::redis::command;

// Everything at once: nobody may ever get another's answer, and everybody gets one.

namespace {

struct tally {
  std::atomic<int> right{0}, wrong{0}, failed{0};
  int all() const { return right + wrong + failed; }
};

void judge(tally& t, const std::string& asked, const std::optional<std::string>& got) {
  ++(!got ? t.failed : *got == asked ? t.right : t.wrong);
}

/// Some are late before they begin, some are stopped in the middle, some ask for much.
asio::awaitable<void> ask(client c, tally& t, int id, int times) {
  // Not in the midst of an expression, where gcc 12 destroys its temporaries twice.
  const auto executor = co_await asio::this_coro::executor;
  std::minstd_rand random(static_cast<unsigned>(id + 1));
  for (int i = 0; i < times; ++i) {
    auto text = std::to_string(id) + ":" + std::to_string(i);
    if (random() % 50 == 0) text.append(20'000, 'x');
    std::stop_source stop;
    scalekit::redis::call_options options{.stop = stop.get_token()};
    const auto fate = random() % 4;
    if (fate == 0) options.timeout = std::chrono::microseconds(random() % 2000);
    if (fate == 1) stop.request_stop();
    std::optional<std::string> got;
    if (fate == 2) {
      // Somebody else stops it, at some time.
      asio::post(executor, [stop]() mutable { stop.request_stop(); });
    }
    try {
      got = co_await c.async_call<std::string>(command("ECHO", text), options, asio::use_awaitable);
    } catch (const scalekit::error&) {
    }
    judge(t, text, got);
  }
}

void ask_blocking(client c, tally& t, int id, int times) {
  std::minstd_rand random(static_cast<unsigned>(id + 1));
  for (int i = 0; i < times; ++i) {
    const auto text = "b" + std::to_string(id) + ":" + std::to_string(i);
    scalekit::redis::call_options options;
    if (random() % 3 == 0) options.timeout = std::chrono::microseconds(random() % 1000);
    std::optional<std::string> got;
    try {
      got = c.call<std::string>(command("ECHO", text), options);
    } catch (const scalekit::error&) {
    }
    judge(t, text, got);
  }
}

}  // namespace

TEST_CASE("a storm of calls that are late, stopped and large leaves every answer with its own") {
  support::redis::server server;
  loop host;
  auto c = client::open(server.url(), {}, host.execution());
  tally t;
  constexpr int coroutines = 64, threads = 4;
  const int times = support::fewer_under_sanitizer(500);

  std::vector<std::future<void>> ends;
  for (int i = 0; i < coroutines; ++i) {
    ends.push_back(asio::co_spawn(host.io(), ask(c, t, i, times), asio::use_future));
  }
  std::vector<std::thread> callers;
  for (int i = 0; i < threads; ++i) callers.emplace_back(ask_blocking, c, std::ref(t), i, times);
  for (auto& each : ends) each.get();
  for (auto& each : callers) each.join();

  CHECK(t.wrong == 0);
  CHECK(t.right > 0);
  CHECK(t.failed > 0);
  CHECK(t.all() == (coroutines + threads) * times);
  CHECK(c.async_call<std::string>(command("ECHO", "calm"), asio::use_future).get() == "calm");
}

TEST_CASE("a storm over a network that is cut again and again settles everybody rightly") {
  support::redis::server server;
  support::tcp_proxy proxy(server.port());
  loop host;
  auto c =
      client::open(server.url_at(proxy.port()),
                   {.timeout = 30s, .acquire_timeout = 10s, .reconnect = {.base = 1ms, .cap = 5ms}},
                   host.execution());
  tally t;
  constexpr int coroutines = 32, threads = 2;
  const int times = support::fewer_under_sanitizer(1000);
  std::atomic<bool> over{false};
  std::thread cutter([&] {
    for (int i = 0; !over; ++i) {
      std::this_thread::sleep_for(5ms);
      proxy.cut_all(i % 2 == 0 ? support::cut_kind::reset : support::cut_kind::finish);
    }
  });

  std::vector<std::future<void>> ends;
  for (int i = 0; i < coroutines; ++i) {
    ends.push_back(asio::co_spawn(host.io(), ask(c, t, i, times), asio::use_future));
  }
  std::vector<std::thread> callers;
  for (int i = 0; i < threads; ++i) callers.emplace_back(ask_blocking, c, std::ref(t), i, times);
  for (auto& each : ends) each.get();
  for (auto& each : callers) each.join();
  over = true;
  cutter.join();

  CHECK(t.wrong == 0);
  CHECK(t.right > 0);
  CHECK(t.all() == (coroutines + threads) * times);
}

namespace {

asio::awaitable<void> add_up(client c, std::atomic<std::int64_t>& sure,
                             std::atomic<std::int64_t>& maybe, int times) {
  for (int i = 0; i < times; ++i) {
    try {
      co_await c.async_call<std::int64_t>(command("INCR", "sum"), asio::use_awaitable);
      ++sure;
    } catch (const scalekit::error& e) {
      if (outcome_unknown(e)) ++maybe;
    }
  }
}

}  // namespace

TEST_CASE("what is not in doubt was done once, or not at all") {
  support::redis::server server;
  support::tcp_proxy proxy(server.port());
  loop host;
  auto c =
      client::open(server.url_at(proxy.port()),
                   {.timeout = 30s, .acquire_timeout = 10s, .reconnect = {.base = 1ms, .cap = 5ms}},
                   host.execution());
  std::atomic<std::int64_t> sure{0}, maybe{0};
  std::atomic<bool> over{false};
  std::thread cutter([&] {
    while (!over) {
      std::this_thread::sleep_for(3ms);
      proxy.cut_all();
    }
  });

  std::vector<std::future<void>> ends;
  for (int i = 0; i < 32; ++i) {
    ends.push_back(asio::co_spawn(
        host.io(), add_up(c, sure, maybe, support::fewer_under_sanitizer(1000)), asio::use_future));
  }
  for (auto& each : ends) each.get();
  over = true;
  cutter.join();

  const auto sum = std::stoll(server.ask({"GET", "sum"}));
  CHECK(sum >= sure);
  CHECK(sum <= sure + maybe);
}

#include "redis/load.hpp"

#include "harness.hpp"
#include "redis/server.hpp"
#include "scalekit/redis.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <utility>

namespace bench::redis {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using scalekit::redis::client;
using scalekit::redis::command;
using std::chrono::steady_clock;

namespace {

constexpr auto warming = 200ms;
constexpr auto measured = 700ms;

struct work {
  std::uint64_t calls = 0;
  bool over = false;
};

asio::awaitable<void> get_on(client c, work& w, std::size_t i) {
  random_keys keys(i);
  while (!w.over) {
    const auto value =
        co_await c.async_call<std::string>(command("GET", keys.next()), asio::use_awaitable);
    if (value.size() != value_size) throw std::runtime_error("a GET found another value");
    ++w.calls;
  }
}

asio::awaitable<void> measure(work& w, double& rate) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(warming);
  co_await timer.async_wait(asio::use_awaitable);
  const auto before = w.calls;
  const auto start = steady_clock::now();
  timer.expires_after(measured);
  co_await timer.async_wait(asio::use_awaitable);
  const std::chrono::duration<double> took = steady_clock::now() - start;
  rate = static_cast<double>(w.calls - before) / took.count();
  w.over = true;
}

void rethrow(std::exception_ptr e) {
  if (e) std::rethrow_exception(e);
}

}  // namespace

double blocking_gets(const std::string& url) {
  auto c = client::open(url);
  random_keys keys(0);
  auto batch = [&](std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) {
      const auto value = c.call<std::string>(command("GET", keys.next()));
      if (value.size() != value_size) throw std::runtime_error("a GET found another value");
    }
  };
  batch(1000);
  return bench::rate(batch, 0.5);
}

double coroutine_gets(const std::string& url, std::size_t coroutines) {
  asio::io_context io(1);
  auto c = client::open(url, {}, scalekit::execution(io.get_executor()));
  work w;
  double rate = 0;
  for (std::size_t i = 0; i < coroutines; ++i) asio::co_spawn(io, get_on(c, w, i), rethrow);
  asio::co_spawn(io, measure(w, rate), rethrow);
  io.run();
  return rate;
}

}  // namespace bench::redis

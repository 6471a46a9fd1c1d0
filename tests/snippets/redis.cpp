#include "scalekit/redis.hpp"

#include "scalekit/core/error.hpp"
#include "support/redis/server.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace redis = scalekit::redis;
using namespace std::chrono_literals;

namespace {

void smallest(const std::string& url) {
  //[smallest
  auto cache = redis::client::open(url);  // "redis://:password@10.0.0.9:6379/0"
  cache.call<scalekit::done>(redis::command("SET", "product:42", "a sofa", "EX", 1800));
  auto found = cache.call<std::optional<std::string>>(redis::command("GET", "product:42"));
  auto sold = cache.call<std::int64_t>(redis::command("INCR", "sold:42"));
  //]
  if (found != "a sofa" || sold != 1) std::abort();
}

//[coroutines
asio::awaitable<void> serve(redis::client cache, int id) {
  const auto key = "product:" + std::to_string(id);
  auto found = co_await cache.async_call<std::optional<std::string>>(redis::command("GET", key),
                                                                     asio::use_awaitable);
  if (!found) {
    co_await cache.async_call<scalekit::done>(redis::command("SET", key, "loaded"),
                                              asio::use_awaitable);
  }
}
//]

void run_coroutines(const std::string& url) {
  //[loop
  asio::io_context io;
  auto cache = redis::client::open(url, {.timeout = 200ms}, scalekit::execution(io.get_executor()));
  for (int id = 0; id < 100; ++id) {
    asio::co_spawn(io, serve(cache, id), [](std::exception_ptr e) {
      if (e) std::rethrow_exception(e);
    });
  }
  io.run();
  //]
}

void replies(redis::client& cache) {
  //[replies
  std::vector<std::string> keys{"product:42", "product:43"};
  auto some = cache.call<std::vector<std::optional<std::string>>>(redis::command("MGET", keys));
  std::vector<std::pair<std::string, int>> stock{{"sofa", 3}, {"lamp", 7}};
  cache.call<scalekit::done>(redis::command("HSET", "stock", stock));
  auto all = cache.call<std::map<std::string, int>>(redis::command("HGETALL", "stock"));
  //]
  if (some.size() != 2 || all["lamp"] != 7) std::abort();
}

//[errors
std::string name_of(redis::client& cache, int id) {
  try {
    return cache.call<std::string>(redis::command("GET", "name:" + std::to_string(id)),
                                   {.timeout = 20ms});
  } catch (const scalekit::error& e) {
    if (e.code() == scalekit::errc::not_found) return "nobody";
    if (scalekit::is_transient(e)) return "ask again later";
    throw;
  }
}
//]

void transactions(redis::client& cache) {
  //[transaction
  auto [hits, page] = cache.call<std::tuple<std::int64_t, std::optional<std::string>>>(
      redis::transaction(redis::command("INCR", "hits"), redis::command("GET", "page")));
  //]
  if (hits != 1 || page) std::abort();
}

void scripts(redis::client& cache) {
  //[script
  static const redis::script take(R"(
    local left = tonumber(redis.call('GET', KEYS[1]) or '0')
    if left < tonumber(ARGV[1]) then return -1 end
    return redis.call('DECRBY', KEYS[1], ARGV[1])
  )");
  auto left = cache.call<std::int64_t>(take({"stock:42"}, 2));
  //]
  if (left != -1) std::abort();
}

void subscribing(const std::string& url, redis::client& cache) {
  std::atomic<int> flushed{0}, dropped{0};
  auto drop = [&](std::string_view) { ++dropped; };
  auto drop_everything = [&] { ++flushed; };
  //[subscriber
  redis::subscriber invalidations(
      url, {.channels = {"invalidated"},
            .on_message = [&](const redis::message& m) { drop(m.payload); },
            // Whatever was published while nobody listened is not known.
            .on_gap = [&](const redis::subscription_gap&) { drop_everything(); }});
  //]
  while (flushed == 0) std::this_thread::sleep_for(1ms);
  cache.call<scalekit::done>(redis::command("PUBLISH", "invalidated", "product:42"));
  while (dropped == 0) std::this_thread::sleep_for(1ms);
}

void tracking(const std::string& url, redis::client& cache) {
  std::atomic<int> flushed{0}, dropped{0};
  auto drop = [&](std::string_view) { ++dropped; };
  auto drop_everything = [&] { ++flushed; };
  //[tracking
  redis::subscriber changes(url,
                            {.tracked_prefixes = {"product:"},
                             .on_invalidated =
                                 [&](const redis::invalidation& i) {
                                   if (i.is_everything) drop_everything();
                                   for (const auto key : i.keys) drop(key);
                                 },
                             .on_gap = [&](const redis::subscription_gap&) { drop_everything(); }});
  //]
  while (flushed == 0) std::this_thread::sleep_for(1ms);
  cache.call<scalekit::done>(redis::command("SET", "product:42", "another sofa"));
  while (dropped == 0) std::this_thread::sleep_for(1ms);
}

void waiting(redis::client& cache) {
  cache.call<scalekit::done>(redis::command("RPUSH", "mail", "hello"));
  //[waiting
  using job = std::optional<std::pair<std::string, std::string>>;
  auto next = cache.call<job>(redis::command("BLPOP", "mail", 5), {.timeout = 6s});
  //]
  if (!next || next->second != "hello") std::abort();
}

}  // namespace

int main() {
  const support::redis::server server;
  smallest(server.url());
  run_coroutines(server.url());
  auto cache = redis::client::open(server.url());
  replies(cache);
  transactions(cache);
  scripts(cache);
  if (name_of(cache, 1) != "nobody") return 1;
  subscribing(server.url(), cache);
  tracking(server.url(), cache);
  waiting(cache);
  return 0;
}

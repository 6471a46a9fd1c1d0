// What only a Redis server does to a store.

#include "scalekit/cache.hpp"
#include "shared_servers.hpp"
#include "support/loop.hpp"
#include "support/reserved_port.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace cache = scalekit::cache;
using namespace cache_test;
using cache::tier;
using scalekit::errc;

namespace {

constexpr cache::policy minute{.type = "minute", .ttl = 60s, .jitter = 0};

}  // namespace

TEST_CASE("a full server serves what it has; a set on it leaves no older value") {
  redis_server server;
  auto store = cache::store::open(with_memory(server.url()));
  auto other = cache::store::open(only_shared(server.url()));
  store.set("kept", 1, minute);
  store.set("a", 1, minute);
  server.server.ask({"CONFIG", "SET", "maxmemory", "1"});

  store.set("a", 2, minute);
  CHECK(store.get<int>("a").value == 2);
  CHECK_FALSE(other.get<int>("a"));
  CHECK(other.get_or_load<int>("kept", minute, [] { return 0; }).tier == tier::shared);
  CHECK(other.get_or_load<int>("new", minute, [] { return 3; }).value == 3);
  CHECK_FALSE(other.get<int>("new"));
  store.erase("kept");
  CHECK_FALSE(other.get<int>("kept"));
  CHECK(other.stats().shared.breaker == scalekit::breaker_state::closed);
}

TEST_CASE("a read-only replica serves what it has, and an erase says that it could not be made") {
  redis_server server;
  support::reserved_port nobody;
  auto store = cache::store::open(only_shared(server.url()));
  store.set("a", 1, minute);
  server.server.ask({"REPLICAOF", "127.0.0.1", std::to_string(nobody.number())});

  CHECK(store.get<int>("a").value == 1);
  CHECK(store.get_or_load<int>("a", minute, [] { return 2; }).tier == tier::shared);
  CHECK(store.get_or_load<int>("b", minute, [] { return 2; }).tier == tier::loader);
  CHECK_ERRC(store.erase("a"), errc::read_only);
  CHECK_FALSE(store.get<int>("a"));
  server.server.ask({"REPLICAOF", "NO", "ONE"});
  CHECK_FALSE(store.get<int>("a"));
  store.set("a", 3, minute);
  CHECK(store.get<int>("a").value == 3);
}

TEST_CASE("a server that lets nobody in is one that is away") {
  support::redis::server server({.password = "secret"});
  auto with = cache::store::open(only_shared(server.url()));
  with.set("a", 1, minute);
  auto url = server.url();
  url.erase(url.find(":secret@"), std::string(":secret@").size());
  auto without = cache::store::open(only_shared(url));

  CHECK_FALSE(without.get<int>("a"));
  CHECK(without.get_or_load<int>("a", minute, [] { return 2; }).value == 2);
  CHECK_THROWS_AS(without.erase("a"), scalekit::error);
  CHECK(without.stats().shared.read_errors > 0);
  CHECK(with.get<int>("a").value == 1);
}

TEST_CASE("a list under a key is a miss, and makes way for what is loaded") {
  redis_server server;
  auto store = cache::store::open(only_shared(server.url()));
  server.server.ask({"RPUSH", "test:k:a", "1", "2"});

  CHECK_FALSE(store.get<int>("a"));
  CHECK(store.get_or_load<int>("a", minute, [] { return 1; }).tier == tier::loader);
  CHECK(store.get<int>("a").tier == tier::shared);
  server.server.ask({"DEL", "test:e"});
  server.server.ask({"RPUSH", "test:e", "no epoch"});
  CHECK_FALSE(store.get<int>("a"));
  store.set("a", 2, minute);
  CHECK(store.get<int>("a").value == 2);
}

TEST_CASE("a value that no store would write is not read to its end, and is removed") {
  redis_server server;
  auto store = cache::store::open(only_shared(server.url() + "/?max_reply_bytes=1MiB"));
  store.set("b", 1, minute);
  server.server.ask({"SETRANGE", "test:k:a", "4000000", "x"});

  CHECK_FALSE(store.get<int>("a"));
  CHECK(support::wait_until([&] { return store.get<int>("b").value == 1; }));
  CHECK(server.server.ask({"EXISTS", "test:k:a"}) == "0");
}

TEST_CASE("the loss of the epoch makes everything dead, and nothing comes back") {
  redis_server server;
  auto store = cache::store::open(only_shared(server.url()));
  store.set("a", 1, minute);
  server.server.ask({"DEL", "test:e"});

  CHECK_FALSE(store.get<int>("a"));
  store.set("b", 2, minute);
  CHECK_FALSE(store.get<int>("a"));
  CHECK(store.get<int>("b").value == 2);
}

TEST_CASE("the server keeps an entry for its ttl, and a placeholder for its lease") {
  redis_server server;
  auto store = cache::store::open(only_shared(server.url()));
  store.set("a", 1, minute);
  store.get_or_load<int>("b", minute, [&] {
    const auto left = std::stoll(server.server.ask({"PTTL", "test:k:b"}));
    CHECK(left > 0);
    CHECK(left <= 60'000);
    return 1;
  });

  for (const auto* key : {"test:k:a", "test:k:b"}) {
    const auto left = std::stoll(server.server.ask({"PTTL", key}));
    CHECK(left > 0);
    CHECK(left <= 60'000);
  }
}

TEST_CASE("asynchronous calls share a connection and never use the work executor") {
  redis_server server;
  support::loop host;
  asio::thread_pool nobody(1);
  // A task on it would wait for ever.
  std::promise<void> end;
  asio::post(nobody, [wait = end.get_future().share()] { wait.wait(); });
  auto params = with_memory(server.url());
  params.execution =
      scalekit::execution(asio::any_io_executor(host.io().get_executor()), nobody.get_executor());
  auto store = cache::store::open(params);
  store.set("warm", 1, minute);
  const auto count_of = [&](const std::string& name) {
    const auto info = server.server.ask({"INFO", "clients"});
    const auto at = info.find(name + ":") + name.size() + 1;
    return std::stoi(info.substr(at));
  };

  auto one = [](cache::store s, int id) -> asio::awaitable<void> {
    const auto key = "key" + std::to_string(id);
    co_await s.async_set(key, id, minute, asio::use_awaitable);
    std::vector<std::string> keys{key, "warm", "none"};
    auto found = co_await s.async_get_many<int>(std::move(keys), asio::use_awaitable);
    CHECK(found[0].value == id);
    co_await s.async_erase(key, asio::use_awaitable);
    auto gone = co_await s.async_get<int>(key, asio::use_awaitable);
    CHECK_FALSE(gone);
  };
  std::vector<std::future<void>> all;
  for (int i = 0; i < 64; ++i) {
    all.push_back(asio::co_spawn(host.io(), one(store, i), asio::use_future));
  }
  for (auto& each : all) each.get();
  store.async_clear(asio::use_future).get();

  // Of the store: the shared one, and that of the blocking set. One more asks.
  CHECK(count_of("connected_clients") <= 3);
  end.set_value();
  nobody.join();
}

TEST_CASE("many lookups of one missing key are one question and one load") {
  redis_server server;
  support::loop host;
  auto params = only_shared(server.url());
  params.execution = host.execution();
  auto store = cache::store::open(params);
  std::promise<void> go;
  auto wait = go.get_future().share();
  std::atomic<int> loads{0};

  std::vector<std::future<cache::lookup<int>>> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(store.async_get_or_load<int>(
        "a", minute,
        [&loads, wait] {
          wait.wait();
          return ++loads;
        },
        asio::use_future));
  }
  REQUIRE(support::wait_until([&] { return store.stats().coalesced == 19; }));
  go.set_value();
  for (auto& each : all) CHECK(each.get().value == 1);
  CHECK(store.stats().loads == 1);
}

TEST_CASE("the host's loop may go once the last handle of the store is gone, whatever still runs") {
  redis_server server;
  std::promise<void> go;
  auto wait = go.get_future().share();
  std::promise<void> begun, ended;
  auto host = std::make_unique<support::loop>();
  auto params = only_shared(server.url());
  params.execution = host->execution();
  auto store = std::make_unique<cache::store>(cache::store::open(params));
  auto how = minute;
  how.load_timeout = std::chrono::minutes(5);
  auto found = store->async_get_or_load<int>(
      "a", how,
      [&, wait, at_end = std::shared_ptr<void>(nullptr, [&](void*) { ended.set_value(); })] {
        begun.set_value();
        wait.wait();
        return 1;
      },
      asio::use_future);
  begun.get_future().wait();

  store.reset();
  CHECK_ERRC(found.get(), errc::closed);
  host.reset();
  go.set_value();

  // The loader is dropped when everything else is.
  CHECK(ended.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready);
}

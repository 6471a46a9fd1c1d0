// What only memcached does to a store.

#include "scalekit/cache.hpp"
#include "shared_servers.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace cache = scalekit::cache;
using namespace cache_test;
using cache::tier;
using scalekit::errc;

namespace {

constexpr cache::policy minute{.type = "minute", .ttl = 60s, .jitter = 0};

std::string three_hosts(const std::vector<memcached_server>& servers) {
  return "memcached://" + servers[0].server.place() + "," + servers[1].server.place() + "," +
         servers[2].server.place();
}

}  // namespace

TEST_CASE("keys are spread over hosts, and all of them are cleared") {
  std::vector<memcached_server> servers(3);
  auto one = cache::store::open(only_shared(three_hosts(servers)));
  auto two = cache::store::open(only_shared(three_hosts(servers)));
  std::vector<std::string> keys;
  for (int i = 0; i < 60; ++i) keys.push_back("key" + std::to_string(i));
  for (const auto& key : keys) one.set(key, 1, minute);

  for (auto& server : servers) {
    CHECK(server.server.ask("stats\r\n").find("STAT curr_items 0\r\n") == std::string::npos);
  }
  for (const auto& found : two.get_many<int>(keys)) CHECK(found.value == 1);
  two.clear();
  for (const auto& found : one.get_many<int>(keys)) CHECK_FALSE(found);
}

TEST_CASE("the keys of a host that is away do not go to another") {
  std::vector<memcached_server> servers(3);
  auto store = cache::store::open(only_shared(three_hosts(servers)));
  std::vector<std::string> keys;
  for (int i = 0; i < 60; ++i) keys.push_back("key" + std::to_string(i));
  for (const auto& key : keys) store.set(key, 1, minute);

  servers[1].kill9();
  int found = 0, failed = 0;
  for (const auto& key : keys) {
    try {
      store.erase(key);
    } catch (const scalekit::error&) {
      ++failed;
    }
  }
  CHECK(failed > 0);
  for (auto* each : {&servers[0], &servers[2]}) {
    const auto stats = each->server.ask("stats\r\n");
    CHECK(stats.find("STAT cmd_set 0\r\n") == std::string::npos);
  }
  for (const auto& key : keys) found += store.get<int>(key) ? 1 : 0;
  CHECK(found == 0);
}

TEST_CASE("a value that the server finds too large is not kept, and nor is the one before it") {
  support::memcached::server server;  // takes a MiB at most
  constexpr std::size_t large = 1'500'000;
  auto params = only_shared(server.url());
  params.memory.max_bytes = 64 << 20;
  auto store = cache::store::open(params);
  auto other = cache::store::open(only_shared(server.url()));
  store.set("a", std::string("small"), minute);

  store.set("a", std::string(large, 'x'), minute);
  CHECK(store.get<std::string>("a")->size() == large);
  CHECK_FALSE(other.get<std::string>("a"));
  auto loaded = other.get_or_load<std::string>("b", minute, [] { return std::string(large, 'y'); });
  CHECK(loaded->size() == large);
  CHECK_FALSE(other.get<std::string>("b"));
  CHECK(other.stats().shared.breaker == scalekit::breaker_state::closed);
}

TEST_CASE("a key whose digest stands for another key is a miss") {
  memcached_server server;
  auto store = cache::store::open(only_shared(server.url()));
  store.set("a b", 1, minute);
  // The entry of "a b" under the name of "c".
  const auto name = "test:h:c8687a08aa5d6ed2044328fa6a697ab8e96dc34291e8c2034ae8c38e6fcc6d65";
  const auto said = server.server.ask("get " + std::string(name) + "\r\n");
  REQUIRE(said.starts_with("VALUE"));
  const auto begin = said.find("\r\n") + 2;
  server.server.plant("test:k:c", said.substr(begin, said.size() - begin - 7));

  CHECK(store.get<int>("a b").value == 1);
  CHECK_FALSE(store.get<int>("c"));
  CHECK(store.get_or_load<int>("c", minute, [] { return 3; }).value == 3);
  CHECK(store.get<int>("c").value == 3);
}

TEST_CASE("an erase without time says that it was not made") {
  memcached_server server;
  auto store = cache::store::open(only_shared(server.url()));
  store.set("a", 1, minute);

  CHECK_ERRC(store.erase("a", {.timeout = 0s}), errc::acquire_timeout);
  CHECK_FALSE(store.get<int>("a"));
}

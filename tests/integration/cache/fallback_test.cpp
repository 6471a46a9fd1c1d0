// What keeps values while the server of a shared tier is away, on servers that are killed.

#include "scalekit/cache.hpp"
#include "shared_servers.hpp"
#include "support/temp_directory.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <string>

namespace asio = boost::asio;
namespace cache = scalekit::cache;
using namespace cache_test;
using cache::shared_state;
using scalekit::errc;

namespace {

constexpr cache::policy minute{.type = "minute", .ttl = 60s, .jitter = 0};

/// Without memory, so that what is found is found in the fallback.
cache::store_params with_fallback(const std::string& url, const support::temp_directory& in) {
  auto params = only_shared(url);
  params.shared_timeout = 100ms;
  params.fallback = {.directory = in.file("fallback"), .return_over = 0ms};
  return params;
}

void wait_for(cache::store& store, shared_state wanted) {
  REQUIRE(support::wait_until([&] {
    store.get<int>("probe");
    return store.stats().shared.state == wanted;
  }));
}

}  // namespace

TEST_CASE("while the server is away values are kept in the fallback; nothing old comes back") {
  for_each_server([](shared_server& server) {
    const support::temp_directory directory;
    auto store = cache::store::open(with_fallback(server.url(), directory));
    store.set("a", 1, minute);
    store.set("b", 1, minute);
    server.freeze();
    wait_for(store, shared_state::degraded);

    CHECK_FALSE(store.get<int>("a"));
    CHECK(store.get_or_load<int>("a", minute, [] { return 2; }).tier == cache::tier::loader);
    CHECK(store.get_or_load<int>("a", minute, [] { return 3; }).value == 2);
    store.set("c", 1, minute);
    CHECK(store.async_get<int>("c", asio::use_future).get().value == 1);
    store.async_set("d", 1, minute, asio::use_future).get();
    CHECK(store.get_many<int>({"a", "c", "d", "e"})[2].value == 1);
    CHECK_THROWS_AS(store.erase("b"), scalekit::error);
    CHECK_THROWS_AS(store.async_erase("c", asio::use_future).get(), scalekit::error);
    CHECK_FALSE(store.get<int>("c"));
    CHECK(store.stats().shared.fallback_hits >= 4);

    server.thaw();
    wait_for(store, shared_state::healthy);
    // The server still has what was there before.
    CHECK_FALSE(store.get<int>("b"));
    CHECK_FALSE(store.get<int>("c"));
  });
}

TEST_CASE("the next outage begins with an empty fallback") {
  for_each_server([](shared_server& server) {
    const support::temp_directory directory;
    auto store = cache::store::open(with_fallback(server.url(), directory));
    server.kill9();
    wait_for(store, shared_state::degraded);
    store.set("a", 1, minute);
    server.start();
    wait_for(store, shared_state::healthy);
    store.set("a", 2, minute);
    CHECK(store.get<int>("a").value == 2);

    server.kill9();
    wait_for(store, shared_state::degraded);
    CHECK_FALSE(store.get<int>("a"));
  });
}

TEST_CASE("a person may send a store away from its server, and back") {
  for_each_server([](shared_server& server) {
    const support::temp_directory directory;
    auto store = cache::store::open(with_fallback(server.url(), directory));
    auto other = cache::store::open(only_shared(server.url()));
    store.set("a", 1, minute);
    store.force_shared(cache::shared_mode::fallback);
    CHECK_FALSE(store.get<int>("a"));
    store.set("a", 2, minute);
    CHECK(store.get<int>("a").value == 2);
    CHECK(other.get<int>("a").value == 1);
    CHECK(store.stats().shared.state == shared_state::degraded);

    store.force_shared(cache::shared_mode::automatic);
    // The server is paid first what it was not told.
    CHECK_FALSE(store.get<int>("a"));
    CHECK_FALSE(other.get<int>("a"));
  });
}

TEST_CASE("settings of a fallback are checked, and so is who has a server to be sent away from") {
  const support::temp_directory directory;
  cache::store_params params;
  params.fallback.directory = directory.file("fallback");
  CHECK_THROWS_WITH_AS(cache::store::open(params),
                       doctest::Contains("store_params.fallback.directory"), std::invalid_argument);
  params.shared = "redis://127.0.0.1:1";
  params.fallback.ttl = 0ms;
  CHECK_THROWS_WITH_AS(cache::store::open(params), doctest::Contains("fallback"),
                       std::invalid_argument);

  auto alone = cache::store::open({});
  CHECK_ERRC(alone.force_shared(cache::shared_mode::fallback), errc::invalid_argument);
}

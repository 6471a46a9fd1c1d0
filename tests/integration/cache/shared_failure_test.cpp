// The shared tier when its server fails.

#include "scalekit/cache.hpp"
#include "scalekit/testing/manual_clock.hpp"
#include "shared_servers.hpp"
#include "support.hpp"
#include "support/tcp_proxy.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace asio = boost::asio;
namespace cache = scalekit::cache;
using namespace cache_test;
using cache::tier;
using scalekit::errc;
using support::error_of;

namespace {

constexpr cache::policy minute{.type = "minute", .ttl = 60s, .jitter = 0};

/// Stores that do not wait long for the server.
cache::store_params impatient(cache::store_params params) {
  params.shared_timeout = 100ms;
  return params;
}

/// What says that a server was not told.
bool is_untold(const scalekit::error& e) {
  return e.code() == errc::unavailable || e.code() == errc::commit_in_doubt ||
         e.code() == errc::acquire_timeout || e.code() == errc::execution_timeout ||
         e.code() == errc::connection_lost;
}

/// Waits until the store asks its server again.
void wait_for_server(cache::store& store) {
  REQUIRE(support::wait_until([&] {
    store.get<int>("probe");
    return store.stats().shared.breaker == scalekit::breaker_state::closed &&
           store.stats().shared.owed_erasures == 0 && !store.stats().shared.owes_everything;
  }));
}

}  // namespace

TEST_CASE("a server that is away fails no lookup, no load and no set; an erase says so") {
  for_each_server([](shared_server& server) {
    auto store = cache::store::open(impatient(with_memory(server.url())));
    store.set("a", 1, minute);
    server.kill9();

    CHECK(store.get<int>("a").tier == tier::memory);
    CHECK_FALSE(store.get<int>("b"));
    CHECK(store.get_or_load<int>("c", minute, [] { return 3; }).tier == tier::loader);
    CHECK(store.get<int>("c").tier == tier::memory);
    store.set("d", 4, minute);
    CHECK(store.get<int>("d").tier == tier::memory);
    CHECK(is_untold(error_of([&] { store.erase("a"); })));
    CHECK_FALSE(store.get<int>("a"));
    CHECK(is_untold(error_of([&] { store.async_erase("c", asio::use_future).get(); })));
    CHECK_FALSE(store.async_get<int>("c", asio::use_future).get());
    CHECK(store.get_many<int>({"a", "d"})[1].value == 4);
    const auto stats = store.stats();
    CHECK(stats.shared.read_errors + stats.shared.write_errors + stats.shared.paused > 0);
    CHECK(stats.shared.owed_erasures >= 2);

    server.start();
    wait_for_server(store);
    store.set("e", 5, minute);
    auto other = cache::store::open(only_shared(server.url()));
    CHECK(other.get<int>("e").value == 5);
  });
}

TEST_CASE("what was erased while the server stood still does not come back when it goes on") {
  for_each_server([](shared_server& server) {
    auto store = cache::store::open(impatient(with_memory(server.url())));
    store.set("a", 1, minute);
    store.set("b", 1, minute);
    auto other = cache::store::open(only_shared(server.url()));
    CHECK(other.get<int>("a").value == 1);

    server.freeze();
    CHECK(is_untold(error_of([&] { store.erase("a"); })));
    store.set("b", 2, minute);
    CHECK_FALSE(store.get<int>("a"));
    CHECK(store.get<int>("b").value == 2);
    server.thaw();
    wait_for_server(store);

    CHECK_FALSE(store.get<int>("a"));
    CHECK_FALSE(other.get<int>("a"));
  });
}

TEST_CASE("a clear that the server was not told of holds here, and there once it can be told") {
  for_each_server([](shared_server& server) {
    support::tcp_proxy proxy(server.port());
    auto store = cache::store::open(impatient(with_memory(server.url_at(proxy.port()))));
    auto other = cache::store::open(only_shared(server.url()));
    store.set("a", 1, minute);
    proxy.set_accepting(support::accept_mode::refuse);
    proxy.cut_all();

    CHECK(is_untold(error_of([&] { store.clear(); })));
    CHECK(store.stats().shared.owes_everything);
    CHECK_FALSE(store.get<int>("a"));
    CHECK(other.get<int>("a").value == 1);
    proxy.set_accepting(support::accept_mode::normal);
    wait_for_server(store);
    CHECK_FALSE(store.get<int>("a"));
    CHECK_FALSE(other.get<int>("a"));
  });
}

TEST_CASE("a server that was restarted empty during a load keeps nothing of it") {
  for_each_server([](shared_server& server) {
    auto store = cache::store::open(with_memory(server.url()));
    auto found = store.get_or_load<int>("a", minute, [&] {
      server.kill9();
      server.start();
      return 1;
    });

    CHECK(found.value == 1);
    auto other = cache::store::open(only_shared(server.url()));
    CHECK_FALSE(other.get<int>("a"));
    CHECK(other.get_or_load<int>("a", minute, [] { return 2; }).value == 2);
  });
}

TEST_CASE("while the server is away memory counts its time from the beginning of a load") {
  for_each_server([](shared_server& server) {
    scalekit::testing::manual_clock clock;
    auto params = impatient(with_memory(server.url()));
    params.clock = &clock;
    auto store = cache::store::open(params);
    server.kill9();
    const cache::policy how{.type = "t", .ttl = 60s, .memory_ttl = 10s, .jitter = 0};

    store.get_or_load<int>("a", how, [&] {
      clock.advance(4s);
      return 1;
    });
    clock.advance(5s);
    CHECK(store.get<int>("a").tier == tier::memory);
    clock.advance(1s);
    CHECK_FALSE(store.get<int>("a"));
  });
}

TEST_CASE("a connection that is cut in the middle of a value is a miss, and a new one is made") {
  for_each_server([](shared_server& server) {
    support::tcp_proxy proxy(server.port());
    auto store = cache::store::open(only_shared(server.url_at(proxy.port())));
    const std::string large(100'000, 'x');
    store.set("a", large, minute);
    CHECK(store.get<std::string>("a").value == large);

    proxy.set_to_client({.cut_after = 1000});
    CHECK_FALSE(store.get<std::string>("a"));
    CHECK(store.stats().shared.read_errors >= 1);
    proxy.heal();
    CHECK(support::wait_until([&] { return store.get<std::string>("a").value == large; }));
  });
}

TEST_CASE("foreign and damaged bytes under a key are a miss, and make way for what is loaded") {
  for_each_server([](shared_server& server) {
    auto store = cache::store::open(only_shared(server.url()));
    store.set("x", 1, minute);
    const std::vector<std::string> junk{"hello", "", "V", "P1234567", std::string(200, 'V')};
    for (const auto& bytes : junk) {
      CAPTURE(bytes);
      server.plant("a", bytes);
      CHECK_FALSE(store.get<int>("a"));
      server.plant("a", bytes);
      CHECK(store.get_or_load<int>("a", minute, [] { return 1; }).tier == tier::loader);
      CHECK(store.get<int>("a").tier == tier::shared);
      server.plant("a", bytes);
      store.set("a", 2, minute);
      CHECK(store.get<int>("a").value == 2);
    }
    CHECK(store.stats().shared.corrupt > 0);
    CHECK(store.get<int>("x").value == 1);
  });
}

TEST_CASE("a lookup without time does not ask, and one with little time is a miss in the end") {
  for_each_server([](shared_server& server) {
    auto store = cache::store::open(only_shared(server.url()));
    store.set("a", 1, minute);

    CHECK_FALSE(store.get<int>("a", {.timeout = 0s}));
    server.freeze();
    CHECK_FALSE(store.get<int>("a", {.timeout = 50ms}));
    CHECK(store.get_or_load<int>("a", minute, [] { return 2; }, {.timeout = 50ms}).value == 2);
    CHECK(is_untold(error_of([&] { store.erase("a", {.timeout = 50ms}); })));
    server.thaw();
  });
}

TEST_CASE("a cancelled lookup ends at once, and its server goes on") {
  redis_server server;
  auto store = cache::store::open(only_shared(server.url()));
  store.set("a", 1, minute);
  server.freeze();
  asio::cancellation_signal stop;
  auto pending =
      store.async_get<int>("a", asio::bind_cancellation_slot(stop.slot(), asio::use_future));
  auto changing = store.async_set("b", 1, minute, asio::use_future);

  stop.emit(asio::cancellation_type::terminal);

  CHECK_ERRC(pending.get(), errc::cancelled);
  server.thaw();
  changing.get();
  CHECK(store.get<int>("a").value == 1);
}

TEST_CASE("with a journal a restart does not forget what the server was not told") {
  for_each_server([](shared_server& server) {
    temporary_directory directory;
    auto params = impatient(only_shared(server.url()));
    params.shared_journal = directory.path() + "/journal";
    const auto crashed = directory.path() + "/crashed";
    {
      auto store = cache::store::open(params);
      // Two of the same process want one of their own.
      CHECK(error_of([&] { cache::store::open(params); }).code() == errc::unavailable);
      auto patient = only_shared(server.url());
      auto other = cache::store::open(patient);
      for (const auto* key : {"erased", "kept"}) other.set(key, 1, minute);

      server.freeze();
      CHECK(is_untold(error_of([&] { store.erase("erased"); })));
      fs::copy_file(params.shared_journal, crashed);
    }
    server.thaw();

    params.shared_timeout = 20s;
    {
      auto store = cache::store::open(params);
      CHECK(store.stats().shared.owed_erasures == 1);
      CHECK_FALSE(store.get<int>("erased"));
      CHECK(store.get<int>("kept"));
      CHECK(store.stats().shared.owed_erasures == 0);
    }
    // A process that crashed there.
    params.shared_journal = crashed;
    auto store = cache::store::open(params);
    CHECK(store.stats().shared.owes_everything);
    CHECK_FALSE(store.get<int>("kept"));
    CHECK_FALSE(store.stats().shared.owes_everything);
  });
}

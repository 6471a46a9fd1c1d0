// What memory keeps where it hears of changes.

#include "cache/copying_port.hpp"
#include "cache/tiers.hpp"
#include "fake_driver.hpp"
#include "scalekit/testing/manual_clock.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

using namespace cache_test;
using namespace std::chrono_literals;
using scalekit::errc;

namespace {

struct told_ear final : detail::change_ear {
  explicit told_ear(listener l) : to(std::move(l)) {}
  void close() noexcept override {}
  bool is_listening() const noexcept override { return true; }

  const listener to;
};

constexpr scalekit::cache::policy how{.type = "t", .ttl = 1min, .jitter = 0, .stale_for = 1min};

struct fixture {
  fixture() {
    scalekit::cache::store_params params;
    params.clock = &clock;
    cache = std::make_unique<detail::tiers>(
        params,
        std::make_unique<detail::shared_tier>(std::make_unique<fake_driver>(server), params),
        [this](detail::change_ear::listener to) {
          auto made = std::make_unique<told_ear>(std::move(to));
          ear = made.get();
          return made;
        });
  }

  detail::shared_claim claim() {
    detail::copying_port port;
    detail::shared_claim made;
    CHECK_FALSE(cache->find_or_claim(cache->hashed("a"), port, made, soon()));
    return made;
  }
  void fill(const detail::shared_claim& with) {
    const std::string value = "1";
    const auto key = cache->hashed("a");
    cache->fill(key, &value, how, cache->token_of(cache->place_of(key)), with, soon());
  }
  bool has_in_memory() {
    detail::copying_port port;
    return cache->find_kept_in_memory(cache->hashed("a"), port).has_value();
  }

  scalekit::testing::manual_clock clock;
  fake_server server;
  std::unique_ptr<detail::tiers> cache;
  told_ear* ear = nullptr;
};

}  // namespace

TEST_CASE("what the server did not take stays for its time, and until it was deaf for a while") {
  fixture f;
  f.server.failure = errc::unavailable;
  SUBCASE("a load") {
    f.fill(f.claim());
  }
  SUBCASE("a set") {
    f.cache->put(f.cache->hashed("a"), "1", how, soon());
  }
  SUBCASE("a set of several") {
    f.cache->put_many({{"a", "1"}}, how, soon());
  }

  f.clock.advance(119s);
  CHECK(f.has_in_memory());
  f.ear->to.on_anything();
  CHECK_FALSE(f.has_in_memory());
}

TEST_CASE("a load that the server does not take in the end is not kept over a change since then") {
  fixture f;
  const auto claim = f.claim();
  SUBCASE("of this key") {
    f.ear->to.on_change("a");
  }
  SUBCASE("of anything") {
    f.ear->to.on_anything();
  }
  f.server.failure = errc::unavailable;

  f.fill(claim);

  CHECK_FALSE(f.has_in_memory());
}

TEST_CASE("what was read before a change was heard does not come into memory after it") {
  fixture f;
  f.cache->put(f.cache->hashed("a"), "1", how, soon());
  f.ear->to.on_change("a");
  auto port = std::make_shared<detail::copying_port>();
  f.cache->start_find("a", port, false, soon(), {}, [](auto, bool) {});

  f.ear->to.on_change("a");
  std::exchange(f.server.held, {}).at(0)();

  CHECK(port->bytes == "1");
  CHECK_FALSE(f.has_in_memory());
  scalekit::cache::statistics sum;
  f.cache->add_to(sum);
  CHECK(sum.shared.changes_heard == 2);
  CHECK(sum.shared.changes_missed == 0);
  CHECK(sum.shared.hears_changes);
  CHECK(sum.fenced_fills == 0);
}

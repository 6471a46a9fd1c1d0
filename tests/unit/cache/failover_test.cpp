#include "cache/failover.hpp"

#include "cache/fallback_files.hpp"
#include "cache/shared_tier.hpp"
#include "fake_driver.hpp"
#include "scalekit/testing/manual_clock.hpp"
#include "support/temp_directory.hpp"
#include "support/throws_errc.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace cache_test;
using namespace std::chrono_literals;
using detail::shared_fill, detail::shared_verb;
using scalekit::deadline, scalekit::errc;
using scalekit::cache::shared_mode, scalekit::cache::shared_state;

namespace {

/// A server that fails when told to, and tiers on it with a directory each.
struct fixture {
  fixture() {
    params.clock = &clock;
    params.fallback.ttl = 30s;
    params.fallback.return_over = 10s;
    params.execution = scalekit::execution(work.get_executor(), work.get_executor());
  }

  std::unique_ptr<detail::shared_tier> tier(const std::string& name = "one") {
    params.fallback.directory = directory.file(name);
    return std::make_unique<detail::shared_tier>(std::make_unique<fake_driver>(server), params,
                                                 std::make_unique<detail::fallback_files>(params));
  }

  detail::file_entry entry(std::string_view key, std::string_view value) const {
    return entry_of(clock, key, value, 10min);
  }

  /// As a load of it would.
  shared_fill load(detail::shared_tier& tier, const std::string& key, const std::string& value) {
    const auto claim = tier.claim(key, soon());
    return tier.fill(entry(key, value), claim.expected, soon());
  }

  /// How many of 1000 keys are looked up on the server.
  std::size_t asked_there(detail::shared_tier& tier) {
    const auto before = server.asked.size();
    for (int i = 0; i < 1000; ++i) tier.find("key " + std::to_string(i), soon());
    return server.asked.size() - before;
  }

  support::temp_directory directory;
  scalekit::testing::manual_clock clock;
  fake_server server;
  boost::asio::io_context work;
  scalekit::cache::store_params params;
};

std::string found(detail::shared_tier& tier, const std::string& key) {
  const auto look = tier.find(key, soon());
  return look.found ? look.found->value : "none";
}

/// Until the breaker is open.
void fail(fixture& f, detail::shared_tier& tier) {
  f.server.failure = errc::unavailable;
  for (int i = 0; i < 5; ++i) tier.find("any", soon());
}

}  // namespace

TEST_CASE("while the server fails, what is loaded and set is found in the fallback") {
  fixture f;
  const auto tier = f.tier();
  f.load(*tier, "before", "server's");
  fail(f, *tier);

  CHECK(f.load(*tier, "a", "loaded") == shared_fill::stored_aside);
  CHECK(tier->put({tier->item_of(f.entry("b", "set"))}, soon()) == std::vector{true});
  CHECK(found(*tier, "a") == "loaded");
  CHECK(found(*tier, "b") == "set");
  CHECK(found(*tier, "before") == "none");
  CHECK(tier->way().state() == shared_state::degraded);
  CHECK(tier->counted().found_aside.value() == 2);
}

TEST_CASE("an erasure during an outage holds in the fallback, and says that others were not told") {
  fixture f;
  const auto tier = f.tier();
  fail(f, *tier);
  f.load(*tier, "a", "one");
  f.load(*tier, "b", "one");

  const auto claim = tier->claim("c", soon());
  const std::vector<std::string> both{"a", "c"};
  CHECK_ERRC(tier->erase(both, soon()), errc::unavailable);
  CHECK(found(*tier, "a") == "none");
  CHECK(tier->fill(f.entry("c", "old"), claim.expected, soon()) == shared_fill::fenced);
  CHECK(found(*tier, "c") == "none");
  CHECK(tier->line().owed().size() == 2);
  CHECK_ERRC(tier->clear(soon()), errc::unavailable);
  CHECK(found(*tier, "b") == "none");
}

TEST_CASE("a fill is stored only where its claim was made") {
  fixture f;
  const auto tier = f.tier();
  const auto at_server = tier->claim("a", soon());
  tier->way().force(shared_mode::fallback);
  const auto aside = tier->claim("b", soon());
  CHECK(tier->fill(f.entry("a", "one"), at_server.expected, soon()) == shared_fill::failed);
  CHECK(found(*tier, "a") == "none");

  tier->way().force(shared_mode::server);
  CHECK(tier->fill(f.entry("b", "one"), aside.expected, soon()) == shared_fill::failed);
  CHECK(tier->fill(f.entry("a", "one"), at_server.expected, soon()) == shared_fill::stored);
  CHECK(found(*tier, "a") == "one");
  CHECK(found(*tier, "b") == "none");
}

TEST_CASE("keys return to a server that is back bit by bit, and what was changed is changed") {
  fixture f;
  const auto tier = f.tier();
  f.load(*tier, "a", "before the outage");
  tier->way().force(shared_mode::fallback);
  CHECK(f.asked_there(*tier) == 0);
  f.load(*tier, "a", "in the outage");
  const std::vector<std::string> a{"a"};
  CHECK_ERRC(tier->erase(a, soon()), errc::unavailable);
  CHECK(found(*tier, "a") == "none");

  tier->way().force(shared_mode::automatic);
  const auto at_first = f.asked_there(*tier);
  CHECK(tier->way().state() == shared_state::recovering);
  CHECK(at_first > 50);
  CHECK(at_first < 200);
  // In whichever of the two it is looked for.
  for (int i = 0; i < 20; ++i) {
    const auto key = "new " + std::to_string(i);
    CHECK(tier->put({tier->item_of(f.entry(key, "set"))}, soon()) == std::vector{true});
    CHECK(found(*tier, key) == "set");
    tier->erase({key}, soon());
    CHECK(found(*tier, key) == "none");
  }
  f.clock.advance(5s);
  const auto half_way = f.asked_there(*tier);
  CHECK(half_way > 400);
  CHECK(half_way < 700);
  f.clock.advance(5s);
  CHECK(f.asked_there(*tier) == 1000);
  CHECK(tier->way().state() == shared_state::healthy);
  CHECK(found(*tier, "a") == "none");
}

TEST_CASE("the fallback is empty when an outage begins, whatever the one before has left") {
  fixture f;
  const auto tier = f.tier();
  tier->way().force(shared_mode::fallback);
  f.load(*tier, "a", "of the first");
  tier->way().force(shared_mode::server);
  tier->erase({"a"}, soon());

  tier->way().force(shared_mode::fallback);
  CHECK(found(*tier, "a") == "none");
}

TEST_CASE("what is kept in the fallback dies after its ttl there") {
  fixture f;
  const auto tier = f.tier();
  tier->way().force(shared_mode::fallback);
  f.load(*tier, "a", "one");
  const auto look = tier->find("a", soon());
  REQUIRE(look.found);
  CHECK(look.found->left.fresh == 30s);
  f.clock.advance(29s);
  CHECK(found(*tier, "a") == "one");
  f.clock.advance(1s);
  CHECK(found(*tier, "a") == "none");
}

TEST_CASE("what is to be forgotten is forgotten in the fallback without waiting") {
  fixture f;
  const auto tier = f.tier();
  tier->way().force(shared_mode::fallback);
  f.load(*tier, "a", "one");
  const auto claim = tier->claim("b", soon());
  tier->owe("a");
  tier->owe("b");
  CHECK(found(*tier, "a") == "none");
  CHECK(tier->fill(f.entry("b", "old"), claim.expected, soon()) == shared_fill::fenced);
}

TEST_CASE(
    "calls without a thread are for a healthy server; a change on its way is not kept aside") {
  fixture f;
  const auto tier = f.tier();
  CHECK(tier->is_asynchronous());
  const auto answer = [&] {
    for (auto& each : std::exchange(f.server.held, {})) each();
    f.work.restart();
    f.work.poll();
  };
  // As if they had begun while the server was well.
  std::optional<std::vector<bool>> stored;
  fail(f, *tier);
  CHECK_FALSE(tier->is_asynchronous());
  f.load(*tier, "a", "old");
  tier->start_put({tier->item_of(f.entry("a", "new"))}, soon(), {},
                  [&](std::vector<bool> all, bool) { stored = std::move(all); });
  CHECK_FALSE(stored);
  CHECK(found(*tier, "a") == "none");
  answer();
  CHECK(stored == std::vector{false});
  bool is_found = true;
  tier->start_find("a", soon(), {},
                   [&](const detail::shared_look& look) { is_found = look.found.has_value(); });
  answer();
  CHECK_FALSE(is_found);

  tier->way().force(shared_mode::server);
  found(*tier, "a");
  CHECK(tier->way().state() == shared_state::healthy);
}

TEST_CASE("of two sets that overlap, and of one that an outage begins under, none is kept aside") {
  fixture f;
  const auto tier = f.tier("two");
  f.params.fallback.directory = f.directory.file("one");
  detail::fallback_files files(f.params);
  const auto set = [&](const std::string& value) {
    detail::shared_request what{.verb = shared_verb::put};
    what.items.push_back(tier->item_of(f.entry("a", value)));
    return what;
  };
  const auto is_there = [&] {
    return files.run({.verb = shared_verb::find, .keys = {"a"}}, soon(), {}).found[0].has_value();
  };
  const auto first = files.begin(set("one"));
  const auto second = files.begin(set("two"));
  CHECK(files.run(set("two"), soon(), second).stored[0]);
  CHECK(is_there());
  CHECK_FALSE(files.run(set("one"), soon(), first).stored[0]);
  CHECK_FALSE(is_there());

  const auto before = files.begin(set("one"));
  files.run({.verb = shared_verb::clear}, soon(), {});
  CHECK_FALSE(files.run(set("one"), soon(), before).stored[0]);
  CHECK_FALSE(is_there());
}

TEST_CASE("stores of different namespaces share a directory, and not what is in it") {
  fixture f;
  const auto one = f.tier("shared");
  f.params.shared_namespace = "other";
  const auto other = f.tier("shared");
  one->way().force(shared_mode::fallback);
  other->way().force(shared_mode::fallback);
  found(*one, "a");
  found(*other, "a");
  f.load(*one, "a", "one");
  CHECK(found(*one, "a") == "one");
  CHECK(found(*other, "a") == "none");
}

TEST_CASE("without a fallback a server that is not to be asked is as one that fails") {
  fixture f;
  detail::shared_tier tier(std::make_unique<fake_driver>(f.server), f.params);
  f.load(tier, "a", "one");
  tier.way().force(shared_mode::fallback);
  CHECK(tier.way().state() == shared_state::degraded);
  CHECK(found(tier, "a") == "none");
  const std::vector<std::string> a{"a"};
  CHECK_ERRC(tier.erase(a, soon()), errc::unavailable);

  tier.way().force(shared_mode::automatic);
  CHECK(found(tier, "a") == "none");
  CHECK(f.load(tier, "a", "two") == shared_fill::stored);
  CHECK(found(tier, "a") == "two");
}

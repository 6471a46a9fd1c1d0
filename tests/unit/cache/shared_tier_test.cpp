#include "cache/shared_tier.hpp"

#include "fake_driver.hpp"
#include "scalekit/testing/manual_clock.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

using namespace cache_test;
using namespace std::chrono_literals;
using detail::shared_fill, detail::shared_verb;
using scalekit::deadline, scalekit::errc;

namespace {

/// A server, and tiers of several processes on it.
struct fixture {
  scalekit::testing::manual_clock clock;
  fake_server server;

  std::unique_ptr<detail::shared_tier> tier() {
    scalekit::cache::store_params params;
    params.clock = &clock;
    return std::make_unique<detail::shared_tier>(std::make_unique<fake_driver>(server), params);
  }

  detail::file_entry entry(std::string_view key, std::string_view value) const {
    return entry_of(clock, key, value, 1min);
  }
};

std::string value_of(const detail::shared_look& look) {
  return look.found ? look.found->value : "none";
}

}  // namespace

TEST_CASE("a fill is stored where its own placeholder stands") {
  fixture f;
  const auto tier = f.tier();

  const auto claim = tier->claim("a", soon());
  CHECK_FALSE(claim.found);
  CHECK(tier->fill(f.entry("a", "one"), claim.expected, soon()) == shared_fill::stored);
  CHECK(value_of(tier->find("a", soon())) == "one");
  CHECK(value_of(tier->claim("a", soon())) == "one");
}

TEST_CASE("whatever changes a key after a claim makes the fill fail") {
  struct row {
    const char* what;
    void (*change)(fixture&, detail::shared_tier&);
    const char* left;
  };
  const std::vector<row> rows{
      {"erase", [](fixture&, detail::shared_tier& t) { t.erase({"a"}, soon()); }, "none"},
      {"set",
       [](fixture& f, detail::shared_tier& t) { t.put({t.item_of(f.entry("a", "new"))}, soon()); },
       "new"},
      {"clear", [](fixture&, detail::shared_tier& t) { t.clear(soon()); }, "none"},
      {"erase, then another claim",
       [](fixture&, detail::shared_tier& t) {
         t.erase({"a"}, soon());
         t.claim("a", soon());
       },
       "none"},
      {"clear, then another claim",
       [](fixture&, detail::shared_tier& t) {
         t.clear(soon());
         t.claim("a", soon());
       },
       "none"},
      {"erase, then another load",
       [](fixture& f, detail::shared_tier& t) {
         t.erase({"a"}, soon());
         const auto claim = t.claim("a", soon());
         t.fill(f.entry("a", "newer"), claim.expected, soon());
       },
       "newer"},
      {"the server loses everything",
       [](fixture& f, detail::shared_tier&) { f.server.entries = {}; }, "none"},
  };
  for (const auto& [what, change, left] : rows) {
    CAPTURE(what);
    fixture f;
    const auto loading = f.tier();
    const auto changing = f.tier();

    const auto claim = loading->claim("a", soon());
    change(f, *changing);

    CHECK(loading->fill(f.entry("a", "old"), claim.expected, soon()) == shared_fill::fenced);
    CHECK(value_of(loading->find("a", soon())) == left);
  }
}

TEST_CASE("of two that load at once both hold the placeholder, and the first is stored") {
  fixture f;
  const auto one = f.tier();
  const auto two = f.tier();

  const auto first = one->claim("a", soon());
  const auto second = two->claim("a", soon());

  CHECK(first.expected == second.expected);
  CHECK(two->fill(f.entry("a", "two"), second.expected, soon()) == shared_fill::stored);
  CHECK(one->fill(f.entry("a", "one"), first.expected, soon()) == shared_fill::fenced);
  CHECK(value_of(one->find("a", soon())) == "two");
}

TEST_CASE("what is of no use under a key is replaced by the claim of who loads it") {
  fixture f;
  const auto tier = f.tier();
  const std::vector<std::string> useless{"hello, world", "", "V12345",
                                         detail::make_value("epoch001", "no entry"),
                                         detail::make_value("epoch000", "of another epoch")};
  for (const auto& bytes : useless) {
    CAPTURE(bytes);
    f.server.entries["a"] = bytes;

    CHECK_FALSE(tier->find("a", soon()).found);
    const auto claim = tier->claim("a", soon());
    CHECK_FALSE(claim.found);
    CHECK(tier->fill(f.entry("a", "one"), claim.expected, soon()) == shared_fill::stored);
    CHECK(value_of(tier->find("a", soon())) == "one");
  }
  CHECK(tier->counted().corrupt.value() >= 4);
}

TEST_CASE("an entry past its time is replaced, whatever the server thinks of it") {
  fixture f;
  const auto tier = f.tier();
  tier->put({tier->item_of(f.entry("a", "one"))}, soon());

  f.clock.advance(61s);
  CHECK_FALSE(tier->find("a", soon()).found);
  const auto claim = tier->claim("a", soon());
  CHECK(tier->fill(f.entry("a", "two"), claim.expected, soon()) == shared_fill::stored);
  CHECK(tier->counted().expired.value() == 2);
}

TEST_CASE("an entry of another key under the same name is none") {
  fixture f;
  const auto tier = f.tier();
  const auto other = tier->item_of(f.entry("b", "two"));
  f.server.entries["a"] = detail::make_value(f.server.epoch, other.bytes);

  CHECK_FALSE(tier->find("a", soon()).found);
}

TEST_CASE("an erasure that failed is paid before the key is read again") {
  fixture f;
  const auto tier = f.tier();
  tier->put({tier->item_of(f.entry("a", "one"))}, soon());

  f.server.failure = errc::unavailable;
  CHECK_ERRC(tier->erase({"a"}, soon()), errc::unavailable);
  CHECK(tier->line().owed().size() == 1);
  CHECK_FALSE(tier->find("a", soon()).found);
  f.server.failure.reset();
  CHECK(f.server.entries.contains("a"));
  CHECK_FALSE(tier->find("a", soon()).found);
  CHECK_FALSE(f.server.entries.contains("a"));
  CHECK(tier->line().owed().empty());
}

TEST_CASE("a set that failed leaves no older value to be read here") {
  fixture f;
  const auto tier = f.tier();
  tier->put({tier->item_of(f.entry("a", "one"))}, soon());

  f.server.failure = errc::commit_in_doubt;
  CHECK_FALSE(tier->put({tier->item_of(f.entry("a", "two"))}, soon()).at(0));
  f.server.failure.reset();
  CHECK_FALSE(tier->find("a", soon()).found);
}

TEST_CASE("a clear that failed bypasses the server until a new epoch was made") {
  fixture f;
  const auto tier = f.tier();
  tier->put({tier->item_of(f.entry("a", "one"))}, soon());

  f.server.failure = errc::unavailable;
  CHECK_ERRC(tier->clear(soon()), errc::unavailable);
  CHECK(tier->line().owed().owes_everything());
  CHECK_FALSE(tier->find("a", soon()).found);
  f.server.failure.reset();
  CHECK_FALSE(tier->find("a", soon()).found);
  CHECK_FALSE(tier->line().owed().owes_everything());
  tier->put({tier->item_of(f.entry("a", "two"))}, soon());
  CHECK(value_of(tier->find("a", soon())) == "two");
}

TEST_CASE("too many erasures that failed make everything owed") {
  fixture f;
  const auto tier = f.tier();
  tier->put({tier->item_of(f.entry("kept", "one"))}, soon());

  f.server.failure = errc::unavailable;
  for (int i = 0; i < 5000; ++i) {
    CHECK_THROWS_AS(tier->erase({std::to_string(i)}, soon()), scalekit::error);
  }
  CHECK(tier->line().owed().owes_everything());
}

TEST_CASE("a server that keeps failing is left alone; one that refuses is not") {
  fixture f;
  const auto failing = f.tier();
  f.server.failure = errc::unavailable;
  for (int i = 0; i < 5; ++i) CHECK_FALSE(failing->find("a", soon()).found);
  CHECK(failing->line().breaker() == scalekit::breaker_state::open);
  const auto before = f.server.asked.size();
  CHECK_FALSE(failing->find("a", soon()).found);
  CHECK(f.server.asked.size() == before);
  CHECK(failing->line().counted().paused.value() == 1);

  const auto refusing = f.tier();
  f.server.failure = errc::disk_full;
  for (int i = 0; i < 10; ++i) refusing->put({refusing->item_of(f.entry("a", "x"))}, soon());
  CHECK(refusing->line().breaker() == scalekit::breaker_state::closed);
  CHECK(refusing->line().counted().write_errors.value() == 10);
}

TEST_CASE("several keys are one question, in their order") {
  fixture f;
  const auto tier = f.tier();
  tier->put({tier->item_of(f.entry("a", "1")), tier->item_of(f.entry("c", "3"))}, soon());
  f.server.asked.clear();

  const auto looks = tier->find_many({"a", "b", "c"}, soon());

  CHECK(value_of(looks.at(0)) == "1");
  CHECK(value_of(looks.at(1)) == "none");
  CHECK(value_of(looks.at(2)) == "3");
  CHECK(f.server.asked == std::vector{shared_verb::find});
}

TEST_CASE("the asynchronous forms pay first too, and are refused without the server") {
  fixture f;
  const auto tier = f.tier();
  auto run_held = [&] {
    while (!f.server.held.empty()) {
      auto task = std::move(f.server.held.front());
      f.server.held.erase(f.server.held.begin());
      task();
    }
  };
  tier->put({tier->item_of(f.entry("a", "one"))}, soon());
  tier->owe("a");
  f.server.asked.clear();

  std::string found;
  tier->start_find("a", soon(), {}, [&](detail::shared_look look) { found = value_of(look); });
  run_held();

  CHECK(found == "none");
  CHECK(f.server.asked == std::vector{shared_verb::erase, shared_verb::find});
  std::string placeholder;
  tier->start_claim("a", soon(), [&](detail::shared_look look) { placeholder = look.expected; });
  run_held();
  CHECK(tier->fill(f.entry("a", "two"), placeholder, soon()) == shared_fill::stored);
}

#pragma once

#include "conformance/cache_suite_base.hpp"

#include <atomic>
#include <functional>
#include <future>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// What every composition of tiers promises of loads of several keys at once.

namespace conformance::cache {

/// The length of each key, and nothing for those that begin with "no"; notes what it was asked.
class lengths {
 public:
  using values = std::vector<std::optional<int>>;

  values operator()(std::span<const std::string> keys) {
    asked.emplace_back(keys.begin(), keys.end());
    values all;
    for (const auto& key : keys) {
      all.push_back(key.starts_with("no") ? std::nullopt : std::optional(int(key.size())));
    }
    return all;
  }

  std::vector<std::vector<std::string>> asked;
};

inline lengths::values no_lengths(std::span<const std::string>) {
  throw std::runtime_error("no database");
}

inline void load_many(const factory& open) {
  scalekit::testing::manual_clock clock;
  auto store = open(clock);
  lengths loader;
  const auto load = [&](std::vector<std::string> keys) {
    return store.get_or_load_many<int>(std::move(keys), minute, std::ref(loader));
  };
  const auto code_of_load = [&](auto&& with) {
    try {
      store.get_or_load_many<int>({"a", "b"}, minute, with);
    } catch (const scalekit::error& e) {
      return static_cast<errc>(e.code().value());
    }
    return errc{};
  };

  SUBCASE("what is missing is loaded by one call, and kept") {
    store.set("aaaa", 1, minute);
    const auto found = load({"aaaa", "bb", "none", "ccc", "bb"});

    CHECK(loader.asked == std::vector<std::vector<std::string>>{{"bb", "none", "ccc"}});
    REQUIRE(found.size() == 5);
    CHECK(found[0].value == 1);
    CHECK(found[1].value == 2);
    CHECK(found[1].tier == sc::tier::loader);
    CHECK(found[2].freshness == sc::freshness::negative);
    CHECK(found[3].value == 3);
    CHECK(found[4].value == 2);
    CHECK(store.get<int>("ccc").value == 3);

    load({"none", "bb", "ccc"});
    CHECK(loader.asked.size() == 1);
    CHECK(store.stats().loads == 2);
    CHECK(store.stats().loads_absent == 1);
    clock.advance(11s);
    load({"none", "bb"});
    CHECK(loader.asked.back() == std::vector<std::string>{"none"});
    CHECK(load({}).empty());
  }

  SUBCASE("the async_ form does the same") {
    store.set("aaaa", 1, minute);
    for (int i = 0; i < 2; ++i) {
      const auto found = store
                             .async_get_or_load_many<int>({"aaaa", "bb", "bb"}, minute, lengths(),
                                                          asio::use_future)
                             .get();
      CHECK(found.at(0).value == 1);
      CHECK(found.at(1).value == 2);
      CHECK(found.at(2).value == 2);
    }
    CHECK(store.stats().loads == 1);
    auto failed = store.async_get_or_load_many<int>({"c"}, minute, no_lengths, asio::use_future);
    CHECK_THROWS_WITH_AS(failed.get(), "no database", std::runtime_error);
  }

  SUBCASE("what the loader throws reaches the caller, and nothing is kept") {
    CHECK_THROWS_AS(store.get_or_load_many<int>({"a", "b"}, minute, no_lengths),
                    std::runtime_error);
    CHECK_FALSE(store.get<int>("a"));
    load({"a", "b"});
    CHECK(loader.asked == std::vector<std::vector<std::string>>{{"a", "b"}});
  }

  SUBCASE("a loader that returns too few values or too many is refused") {
    for (const std::size_t count : {1U, 3U}) {
      CHECK(code_of_load([&](std::span<const std::string>) { return lengths::values(count, 7); }) ==
            errc::invalid_argument);
    }
    CHECK_FALSE(store.get<int>("a"));
  }

  SUBCASE("a loader that asks for one of its own keys gets an error, not a deadlock") {
    CHECK(code_of_load([&](std::span<const std::string> keys) {
            store.get_or_load<int>(keys.back(), minute, [] { return 1; });
            return lengths::values(keys.size(), 1);
          }) == errc::not_allowed);
    CHECK(code_of_load([&](std::span<const std::string> keys) {
            return lengths::values(keys.size(), int(load({"c", "a"}).size()));
          }) == errc::not_allowed);
    CHECK(loader.asked.empty());
    CHECK(load({"c"}).at(0).value == 1);
  }

  SUBCASE("a change during the load wins, for its own key") {
    const auto found = store.get_or_load_many<int>({"erased", "set", "left"}, minute,
                                                   [&](std::span<const std::string> keys) {
                                                     store.erase("erased");
                                                     store.set("set", 9, minute);
                                                     return lengths()(keys);
                                                   });
    CHECK(found[0].value == 6);
    CHECK(found[1].value == 3);
    CHECK_FALSE(store.get<int>("erased"));
    CHECK(store.get<int>("set").value == 9);
    CHECK(store.get<int>("left").value == 4);
    CHECK(store.stats().fenced_fills == 2);
  }

  SUBCASE("two who want what the other loads do not wait for each other") {
    std::promise<void> both_have_begun;
    std::atomic<int> begun{0};
    const auto together = both_have_begun.get_future().share();
    const auto call = [&](std::vector<std::string> keys, lengths& own) {
      return store.get_or_load_many<int>(std::move(keys), minute,
                                         [&](std::span<const std::string> missing) {
                                           auto values = own(missing);
                                           if (++begun == 2) both_have_begun.set_value();
                                           together.wait();
                                           return values;
                                         });
    };
    lengths others;
    // Whoever comes second has something of its own to load, and the rest to wait for.
    auto other = std::async(std::launch::async, [&] { return call({"bb", "ccc", "d"}, others); });
    const auto found = call({"a", "bb", "ccc"}, loader);
    CHECK(found[1].value == 2);
    CHECK(other.get().at(0).value == 2);
    CHECK(loader.asked.at(0).size() + others.asked.at(0).size() == 4);
    CHECK(store.stats().loads == 4);
  }

  SUBCASE("the loader is told until when, and may say for how long") {
    store.get_or_load_many<int>(
        {"a"}, minute, [](const sc::load_context& context, std::span<const std::string> keys) {
          CHECK_FALSE(context.until.expired());
          CHECK_FALSE(context.stop.stop_requested());
          context.keep_for(5s);
          return lengths()(keys);
        });
    CHECK(store.get<int>("a"));
    clock.advance(6s);
    CHECK_FALSE(store.get<int>("a"));
  }

  SUBCASE("what is stale is served where the loader fails, if all is") {
    store.set("a", 1, patient);
    store.set("b", 2, patient);
    clock.advance(61s);

    const auto found = store.get_or_load_many<int>({"a", "b"}, patient, no_lengths);
    CHECK(found[0].value == 1);
    CHECK(found[0].freshness == sc::freshness::stale);
    CHECK(found[1].value == 2);
    CHECK_THROWS_AS(store.get_or_load_many<int>({"a", "c"}, patient, no_lengths),
                    std::runtime_error);

    clock.advance(11s);
    const auto fresh = store.get_or_load_many<int>({"a", "b"}, patient, std::ref(loader));
    CHECK(fresh[1].value == 1);
    CHECK(fresh[1].freshness == sc::freshness::fresh);
  }
}

}  // namespace conformance::cache

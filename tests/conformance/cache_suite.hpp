#pragma once

#include "conformance/cache_suite_base.hpp"
#include "conformance/cache_suite_many.hpp"
#include "conformance/cache_suite_refresh.hpp"

#include <functional>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

// What every composition of tiers promises. A driver's tests call run() with a function that opens
// an empty store of that kind on the given clock.

namespace conformance::cache {

inline void check_code(const std::function<void()>& call, errc expected) {
  try {
    call();
    FAIL("must throw");
  } catch (const scalekit::error& e) {
    CHECK(e.code() == expected);
  }
}

inline void values(const factory& open) {
  scalekit::testing::manual_clock clock;

  SUBCASE("what was set is found, what was not is a miss") {
    auto store = open(clock);
    store.set("a", std::string("one"), minute);

    auto hit = store.get<std::string>("a");
    CHECK(hit.value == "one");
    CHECK(hit.freshness == sc::freshness::fresh);
    auto miss = store.get<std::string>("b");
    CHECK_FALSE(miss);
    CHECK(miss.freshness == sc::freshness::miss);
    CHECK(miss.tier == sc::tier::none);
  }

  SUBCASE("the newest value wins, whatever its size") {
    auto store = open(clock);
    for (auto size : {3, 3, 500, 0, 70}) {
      store.set("a", std::string(static_cast<std::size_t>(size), 'x'), minute);
      CHECK(store.get<std::string>("a")->size() == static_cast<std::size_t>(size));
    }
  }

  SUBCASE("an erased key is a miss, and erasing nothing is fine") {
    auto store = open(clock);
    store.set("a", std::string("one"), minute);
    store.erase("a");
    store.erase("never there");

    CHECK_FALSE(store.get<std::string>("a"));
  }

  SUBCASE("clear forgets everything") {
    auto store = open(clock);
    store.set("a", 1, minute);
    store.set("b", 2, minute);
    store.clear();

    CHECK_FALSE(store.get<int>("a"));
    CHECK_FALSE(store.get<int>("b"));
    store.set("a", 3, minute);
    CHECK(store.get<int>("a").value == 3);
  }

  SUBCASE("keys and values are bytes of any kind") {
    auto store = open(clock);
    const std::string zero("a\0b\n /../ \xff", 11);
    const std::string longest(65536, 'k');
    store.set(zero, std::string("\0\1\2", 3), minute);
    store.set(longest, std::string("long"), minute);

    CHECK(store.get<std::string>(zero).value == std::string("\0\1\2", 3));
    CHECK(store.get<std::string>(longest).value == "long");
    CHECK_FALSE(store.get<std::string>(std::string("a\0c", 3)));
  }

  SUBCASE("keys that are too long or empty are refused") {
    auto store = open(clock);
    check_code([&] { store.get<int>(""); }, errc::invalid_argument);
    check_code([&] { store.set(std::string(65537, 'k'), 1, minute); }, errc::invalid_argument);
  }

  SUBCASE("a value that is too large is refused and leaves no older one") {
    auto store = open(clock);
    store.set("a", std::string("small"), minute);

    check_code([&] { store.set("a", std::string(100 << 20, 'x'), minute); }, errc::too_large);
    CHECK_FALSE(store.get<std::string>("a"));
  }

  SUBCASE("pinned bytes stay as they were, whatever becomes of their key") {
    auto store = open(clock);
    store.set("a", std::string("one"), minute);

    auto held = store.get<sc::pinned_bytes>("a");
    store.set("a", std::string("two"), minute);
    CHECK(store.get<sc::pinned_bytes>("a")->view() == "two");
    store.erase("a");
    CHECK(held->view() == "one");
    CHECK_FALSE(store.get<sc::pinned_bytes>("a"));
  }

  SUBCASE("an entry that the codec refuses is a miss and is removed") {
    auto store = open(clock);
    store.set("a", std::string("no int"), minute);

    CHECK_FALSE(store.get<int>("a"));
    CHECK(store.stats().undecodable >= 1);
    CHECK_FALSE(store.get<std::string>("a"));
  }
}

inline void time(const factory& open) {
  scalekit::testing::manual_clock clock;

  SUBCASE("a value lives for its ttl and not longer") {
    auto store = open(clock);
    store.set("a", 1, minute);

    clock.advance(59s);
    auto old = store.get<int>("a");
    CHECK(old.value == 1);
    CHECK(old.age == 59s);
    clock.advance(1s);
    CHECK_FALSE(store.get<int>("a"));
  }

  SUBCASE("jitter varies the ttl within its share, both ways") {
    auto store = open(clock);
    auto how = minute;
    how.jitter = 0.5;
    for (int i = 0; i < 100; ++i) store.set(std::to_string(i), i, how);
    auto alive = [&] {
      int n = 0;
      for (int i = 0; i < 100; ++i) n += store.get<int>(std::to_string(i)) ? 1 : 0;
      return n;
    };

    clock.advance(29s);
    CHECK(alive() == 100);
    clock.advance(31s);
    CHECK(alive() > 20);
    CHECK(alive() < 80);
    clock.advance(31s);
    CHECK(alive() == 0);
  }

  SUBCASE("a wall clock set back does not make a value live longer than its ttl") {
    auto store = open(clock);
    store.set("a", 1, minute);

    clock.set_wall(clock.wall_now() - 1h);
    clock.advance(61s);
    auto found = store.get<int>("a");
    if (found) CHECK(found.tier != sc::tier::memory);  // 60 s from now at most
    clock.advance(1h + 61s);
    CHECK_FALSE(store.get<int>("a"));
  }

  SUBCASE("absence is remembered for the negative ttl") {
    auto store = open(clock);
    int calls = 0;
    auto absent = [&]() -> std::optional<int> {
      ++calls;
      return std::nullopt;
    };

    auto first = store.get_or_load<int>("a", minute, absent);
    CHECK(first.freshness == sc::freshness::negative);
    CHECK(first.tier == sc::tier::loader);
    auto second = store.get_or_load<int>("a", minute, absent);
    CHECK(second.freshness == sc::freshness::negative);
    CHECK(second.tier != sc::tier::loader);
    CHECK(calls == 1);
    clock.advance(10s);
    store.get_or_load<int>("a", minute, absent);
    CHECK(calls == 2);
  }

  SUBCASE("a policy out of range is refused") {
    auto store = open(clock);
    auto wrong = minute;
    wrong.jitter = 1.5;
    check_code([&] { store.set("a", 1, wrong); }, errc::invalid_argument);
  }
}

inline void loading(const factory& open) {
  scalekit::testing::manual_clock clock;

  SUBCASE("a miss loads once, then hits") {
    auto store = open(clock);
    int calls = 0;
    auto load = [&] { return ++calls; };

    auto first = store.get_or_load<int>("a", minute, load);
    CHECK(first.value == 1);
    CHECK(first.tier == sc::tier::loader);
    CHECK(store.get_or_load<int>("a", minute, load).value == 1);
    CHECK(calls == 1);
    CHECK(store.stats().loads == 1);
  }

  SUBCASE("what a loader throws reaches the caller, and nothing is kept") {
    auto store = open(clock);
    auto fail = []() -> int { throw std::runtime_error("no database"); };

    CHECK_THROWS_WITH_AS(store.get_or_load<int>("a", minute, fail), "no database",
                         std::runtime_error);
    CHECK(store.get_or_load<int>("a", minute, [] { return 2; }).value == 2);
    CHECK(store.stats().loads_failed == 1);
  }

  SUBCASE("a loader that asks for its own key gets an error, not a deadlock") {
    auto store = open(clock);
    auto again = [&]() -> int { return *store.get_or_load<int>("a", minute, [] { return 1; }); };

    check_code([&] { store.get_or_load<int>("a", minute, again); }, errc::not_allowed);
    auto other = store.get_or_load<int>(
        "a", minute, [&] { return *store.get_or_load<int>("b", minute, [] { return 7; }); });
    CHECK(other.value == 7);
  }

  SUBCASE("an erase during a load wins: its value is returned once and not kept") {
    auto store = open(clock);
    auto found = store.get_or_load<int>("a", minute, [&] {
      std::jthread([&] { store.erase("a"); }).join();
      return 1;
    });

    CHECK(found.value == 1);
    CHECK_FALSE(store.get<int>("a"));
    CHECK(store.stats().fenced_fills == 1);
  }

  SUBCASE("a set during a load wins") {
    auto store = open(clock);
    store.get_or_load<int>("a", minute, [&] {
      std::jthread([&] { store.set("a", 2, minute); }).join();
      return 1;
    });

    CHECK(store.get<int>("a").value == 2);
  }

  SUBCASE("a clear during a load wins") {
    auto store = open(clock);
    store.get_or_load<int>("a", minute, [&] {
      store.clear();
      return 1;
    });

    CHECK_FALSE(store.get<int>("a"));
  }

  SUBCASE("who comes after an erase does not get what was being loaded before it") {
    auto store = open(clock);
    std::promise<void> loading, erased;
    std::jthread first([&] {
      store.get_or_load<int>("a", minute, [&] {
        loading.set_value();
        erased.get_future().wait();
        return 1;
      });
    });
    loading.get_future().wait();
    store.erase("a");

    CHECK(store.get_or_load<int>("a", minute, [] { return 2; }).value == 2);
    erased.set_value();
    first.join();
    CHECK(store.get<int>("a").value == 2);
  }
}

inline void asynchronous(const factory& open) {
  scalekit::testing::manual_clock clock;

  SUBCASE("the async_ calls do what the blocking ones do") {
    auto store = open(clock);

    CHECK_FALSE(store.async_get<int>("a", asio::use_future).get());
    store.async_set("a", 5, minute, asio::use_future).get();
    CHECK(store.async_get<int>("a", asio::use_future).get().value == 5);
    CHECK(store.async_get<sc::pinned_bytes>("a", asio::use_future).get()->view().size() == 4);
    store.async_erase("a", asio::use_future).get();
    auto loaded = store.async_get_or_load<int>(
        "a", minute, [] { return 6; }, asio::use_future);
    CHECK(loaded.get().tier == sc::tier::loader);
    CHECK(store.get<int>("a").value == 6);
    auto found = store.async_get_or_load<int>(
        "a", minute, [] { return 7; }, asio::use_future);
    CHECK(found.get().value == 6);
    store.async_clear(asio::use_future).get();
    CHECK_FALSE(store.get<int>("a"));
  }

  SUBCASE("async_ loaders deliver their exceptions") {
    auto store = open(clock);
    auto fail = []() -> int { throw std::runtime_error("no database"); };
    auto failed = store.async_get_or_load<int>("a", minute, fail, asio::use_future);

    CHECK_THROWS_AS(failed.get(), std::runtime_error);
  }

  SUBCASE("a closed store says so, and copies are the same store") {
    auto store = open(clock);
    auto copy = store;
    copy.close();

    check_code([&] { store.get<int>("a"); }, errc::closed);
    check_code([&] { store.async_get<int>("a", asio::use_future).get(); }, errc::closed);
  }
}

inline void batches(const factory& open) {
  scalekit::testing::manual_clock clock;

  SUBCASE("several keys are looked up at once, each with its own result, in their order") {
    auto store = open(clock);
    store.set("a", 1, minute);
    store.set("c", 3, minute);
    store.get_or_load<int>("n", minute, []() -> std::optional<int> { return std::nullopt; });

    for (const auto& found :
         {store.get_many<int>({"a", "b", "c", "a", "n"}),
          store.async_get_many<int>({"a", "b", "c", "a", "n"}, asio::use_future).get()}) {
      REQUIRE(found.size() == 5);
      CHECK(found[0].value == 1);
      CHECK(found[1].freshness == sc::freshness::miss);
      CHECK(found[2].value == 3);
      CHECK(found[3].value == 1);
      CHECK(found[4].freshness == sc::freshness::negative);
    }
    CHECK(store.get_many<int>({}).empty());
    CHECK(store.async_get_many<int>({}, asio::use_future).get().empty());
  }

  SUBCASE("several values are kept at once, and replace what was there") {
    auto store = open(clock);
    store.set("a", std::string("old"), minute);
    const std::vector<std::pair<std::string, std::string>> values{
        {"a", "new"}, {std::string("b\0 b", 4), std::string(1000, 'b')}, {"c", ""}};

    store.set_many(values, minute);
    CHECK(store.get<std::string>("a").value == "new");
    CHECK(store.get<std::string>(values[1].first).value == values[1].second);
    CHECK(store.get<std::string>("c").value == "");
    store.set_many(std::vector<std::pair<std::string, std::string>>{}, minute);
    store
        .async_set_many(std::vector<std::pair<std::string, int>>{{"a", 7}}, minute,
                        asio::use_future)
        .get();
    CHECK(store.get<int>("a").value == 7);
  }

  SUBCASE("of several values one that is too large leaves nothing, and the others are kept") {
    auto store = open(clock);
    store.set("a", std::string("old"), minute);
    const std::vector<std::pair<std::string, std::string>> values{
        {"a", std::string(100 << 20, 'x')}, {"b", "small"}};

    check_code([&] { store.set_many(values, minute); }, errc::too_large);
    CHECK_FALSE(store.get<std::string>("a"));
    CHECK(store.get<std::string>("b").value == "small");
  }

  SUBCASE("keys that are too long or empty are refused, and nothing is done") {
    auto store = open(clock);
    check_code([&] { store.get_many<int>({"a", ""}); }, errc::invalid_argument);
    check_code(
        [&] {
          store.set_many(std::vector<std::pair<std::string, int>>{{"a", 1}, {"", 2}}, minute);
        },
        errc::invalid_argument);
    CHECK_FALSE(store.get<int>("a"));
  }
}

inline void run(const factory& open) {
  SUBCASE("values") {
    values(open);
  }
  SUBCASE("time") {
    time(open);
  }
  SUBCASE("loading") {
    loading(open);
  }
  SUBCASE("asynchronous") {
    asynchronous(open);
  }
  SUBCASE("batches") {
    batches(open);
  }
  SUBCASE("batches of loads") {
    load_many(open);
  }
  SUBCASE("serving") {
    serving(open);
  }
}

}  // namespace conformance::cache

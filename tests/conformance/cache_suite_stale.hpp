#pragma once

#include "conformance/cache_suite_base.hpp"

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

// What every composition of tiers promises of values past their time: when they are served, and
// that what was set, erased or cleared is not among them.

namespace conformance::cache {

inline int failing() {
  throw std::runtime_error("no database");
}

inline bool is_no_database(const std::exception_ptr& e) {
  try {
    std::rethrow_exception(e);
  } catch (const std::runtime_error& failure) {
    return std::string(failure.what()) == "no database";
  } catch (...) {
  }
  return false;
}

inline errc code_of(const std::exception_ptr& e) {
  return static_cast<errc>(scalekit::to_error(e).code().value());
}

inline void stale_values(const factory& open) {
  scalekit::testing::manual_clock clock;
  auto store = open(clock);
  store.set("a", 1, patient);
  clock.advance(61s);

  SUBCASE("a stale value is a miss, unless the caller allows it") {
    CHECK(store.get<int>("a").freshness == sc::freshness::miss);
    auto stale = store.get<int>("a", {.allow_stale = true});
    CHECK(stale.value == 1);
    CHECK(stale.freshness == sc::freshness::stale);
    CHECK(stale.age == 61s);
    CHECK(stale.expires_in == -1s);
    CHECK(store.async_get<int>("a", {.allow_stale = true}, asio::use_future).get().value == 1);
    CHECK(store.stats().stale.asked == 2);
    CHECK(store.stats().misses == 1);
  }

  SUBCASE("it is gone when the time that it is kept is over") {
    clock.advance(1h - 2s);
    CHECK(store.get<int>("a", {.allow_stale = true}).value == 1);
    clock.advance(1s);
    CHECK_FALSE(store.get<int>("a", {.allow_stale = true}));
    CHECK_THROWS_AS(store.get_or_load<int>("a", patient, failing), std::runtime_error);
  }

  SUBCASE("set, erase and clear take it away") {
    auto check_gone = [&] {
      CHECK_FALSE(store.get<int>("a", {.allow_stale = true}));
      CHECK_THROWS_AS(store.get_or_load<int>("a", patient, failing), std::runtime_error);
    };
    SUBCASE("erase") {
      store.erase("a");
      check_gone();
    }
    SUBCASE("clear") {
      store.clear();
      check_gone();
    }
    SUBCASE("async erase") {
      store.async_erase("a", asio::use_future).get();
      check_gone();
    }
    SUBCASE("set") {
      store.set("a", 2, patient);
      CHECK(store.get_or_load<int>("a", patient, failing).value == 2);
    }
  }

  SUBCASE("a policy that does not want it loads") {
    CHECK(store.get_or_load<int>("a", sc::ttl::query, [] { return 2; }).value == 2);
  }

  SUBCASE("absence takes its place, whether absence is remembered or not") {
    auto how = patient;
    SUBCASE("remembered") {
      how.negative_ttl = 10s;
    }
    SUBCASE("not remembered") {}
    auto none = []() -> std::optional<int> { return std::nullopt; };

    CHECK(store.get_or_load<int>("a", how, none).freshness == sc::freshness::negative);
    CHECK_FALSE(store.get<int>("a", {.allow_stale = true}));
    clock.advance(11s);
    CHECK_THROWS_AS(store.get_or_load<int>("a", how, failing), std::runtime_error);
  }
}

inline void failing_loads(const factory& open) {
  scalekit::testing::manual_clock clock;
  auto store = open(clock);
  store.set("a", 1, patient);
  clock.advance(61s);

  SUBCASE("what is stale is served in place of an exception, and the source is left alone") {
    int calls = 0;
    auto fail = [&]() -> int {
      ++calls;
      return failing();
    };

    auto first = store.get_or_load<int>("a", patient, fail);
    CHECK(first.value == 1);
    CHECK(first.freshness == sc::freshness::stale);
    CHECK(is_no_database(first.error));
    auto second = store.get_or_load<int>("a", patient, fail);
    CHECK(second.value == 1);
    CHECK(is_no_database(second.error));
    CHECK(calls == 1);
    clock.advance(10s);
    store.get_or_load<int>("a", patient, fail);
    CHECK(calls == 2);

    clock.advance(10s);
    auto again = store.get_or_load<int>("a", patient, [] { return 3; });
    CHECK(again.value == 3);
    CHECK(again.freshness == sc::freshness::fresh);
    CHECK_FALSE(again.error);
    const auto stats = store.stats();
    CHECK(stats.stale.failed == 2);
    CHECK(stats.stale.throttled == 1);
    CHECK(stats.misses == 1);
    CHECK(stats.lookups() == 4);
  }

  SUBCASE("asynchronous callers get it, too") {
    auto found = store.async_get_or_load<int>("a", patient, failing, asio::use_future).get();

    CHECK(found.value == 1);
    CHECK(found.freshness == sc::freshness::stale);
    CHECK(is_no_database(found.error));
  }

  SUBCASE("not after its key was erased, by the loader itself or by another") {
    auto erase_and_fail = [&]() -> int {
      store.erase("a");
      return failing();
    };

    CHECK_THROWS_AS(store.get_or_load<int>("a", patient, erase_and_fail), std::runtime_error);
    store.set("a", 1, patient);
    clock.advance(90s);
    CHECK_THROWS_AS(
        store.async_get_or_load<int>("a", patient, erase_and_fail, asio::use_future).get(),
        std::runtime_error);
  }

  SUBCASE("what was set while the load failed is served, and is fresh") {
    auto found = store.get_or_load<int>("a", patient, [&]() -> int {
      store.set("a", 2, patient);
      return failing();
    });

    CHECK(found.value == 2);
    CHECK(found.freshness == sc::freshness::fresh);
  }

  SUBCASE("the loader may say for how long its value is good") {
    auto load = [](const sc::load_context& c) {
      c.keep_for(5s);
      return 2;
    };
    store.get_or_load<int>("a", patient, load);
    CHECK(store.get<int>("a").value == 2);
    clock.advance(5s);
    CHECK_FALSE(store.get<int>("a"));
    CHECK(store.get<int>("a", {.allow_stale = true}).value == 2);

    auto unkept = store.get_or_load<int>("a", patient, [](const sc::load_context& c) {
      c.keep_for(0s);
      return 3;
    });
    CHECK(unkept.value == 3);
    CHECK_FALSE(store.get<int>("a", {.allow_stale = true}));
  }
}

}  // namespace conformance::cache

#pragma once

#include "conformance/cache_suite_stale.hpp"
#include "support/held_source.hpp"
#include "support/lasting_clock.hpp"
#include "support/wait_until.hpp"

#include <functional>
#include <future>
#include <string>
#include <thread>

// What every composition of tiers promises of loads that run in the background, or take too long.

namespace conformance::cache {

/// Whether `key` becomes `value`, fresh.
inline bool becomes(sc::store& store, const std::string& key, int value) {
  return support::wait_until([&] { return store.get<int>(key).value == value; });
}

inline void refreshes(const factory& open) {
  auto& clock = support::lasting_clock();
  auto store = open(clock);
  auto source = support::held_source::make();
  auto load = [source](const sc::load_context& c) { return source->answer(c, 2); };
  store.set("a", 1, swift);
  clock.advance(61s);

  SUBCASE("what is stale is served at once, while one load in the background refreshes it") {
    for (int i = 0; i < 3; ++i) {
      auto found = store.get_or_load<int>("a", swift, sc::owned(load));
      CHECK(found.value == 1);
      CHECK(found.freshness == sc::freshness::stale);
      CHECK_FALSE(found.error);
    }
    CHECK(store.async_get_or_load<int>("a", swift, load, asio::use_future).get().value == 1);
    source->release();

    CHECK(becomes(store, "a", 2));
    CHECK(source->asked() == 1);
    CHECK(store.stats().stale.refreshing == 4);
    CHECK(store.stats().refreshes == 1);
    CHECK_FALSE(source->was_stopped());
  }

  SUBCASE("a plain loader is run by the first caller, on his own thread, while others are served") {
    const auto here = std::this_thread::get_id();
    auto found = store.get_or_load<int>("a", swift, [&] {
      auto other = std::async(std::launch::async,
                              [&] { return store.get_or_load<int>("a", swift, [] { return 7; }); });
      CHECK(other.get().freshness == sc::freshness::stale);
      CHECK(std::this_thread::get_id() == here);
      return 2;
    });

    CHECK(found.value == 2);
    CHECK(found.freshness == sc::freshness::fresh);
  }

  SUBCASE("an invalidation during a refresh wins") {
    store.get_or_load<int>("a", swift, sc::owned(load));
    source->wait_asked();
    SUBCASE("erase") {
      store.erase("a");
    }
    SUBCASE("clear") {
      store.clear();
    }
    SUBCASE("set") {
      store.set("a", 3, swift);
    }
    const auto kept = store.get<int>("a", {.allow_stale = true}).value;
    source->release();

    CHECK(support::wait_until([&] { return store.stats().fenced_fills == 1; }));
    CHECK(store.get<int>("a", {.allow_stale = true}).value == kept);
    CHECK(kept.value_or(3) == 3);
  }

  SUBCASE("a refresh that fails is tried again after a while, not at once") {
    store.get_or_load<int>("a", swift, sc::owned(failing));
    REQUIRE(support::wait_until([&] { return store.stats().refreshes_failed == 1; }));

    auto throttled = store.get_or_load<int>("a", swift, sc::owned(load));
    CHECK(throttled.value == 1);
    CHECK(is_no_database(throttled.error));
    CHECK(store.stats().refreshes == 1);
    clock.advance(10s);
    store.get_or_load<int>("a", swift, sc::owned(load));
    CHECK(store.stats().refreshes == 2);
    source->release();
    CHECK(becomes(store, "a", 2));
  }

  SUBCASE("a hit late in its ttl is refreshed ahead, a plain loader's is not") {
    auto how = swift;
    how.refresh_ahead = 0.8;
    store.set("b", 1, how);
    clock.advance(47s);
    store.get_or_load<int>("b", how, sc::owned(load));
    CHECK(store.stats().refreshes == 0);
    clock.advance(1s);
    CHECK(store.get_or_load<int>("b", how, failing).value == 1);
    CHECK(store.stats().refreshes == 0);

    auto found = store.get_or_load<int>("b", how, sc::owned(load));
    CHECK(found.value == 1);
    CHECK(found.freshness == sc::freshness::fresh);
    CHECK(found.expires_in == 12s);
    CHECK(store.async_get_or_load<int>("b", how, load, asio::use_future).get().value == 1);
    CHECK(store.stats().refreshes == 1);
    source->release();
    CHECK(becomes(store, "b", 2));
    CHECK(store.get<int>("b").age == 0s);
  }
}

inline void timeouts(const factory& open) {
  auto& clock = support::lasting_clock();
  auto store = open(clock);
  auto source = support::held_source::make();
  auto load = [source](const sc::load_context& c) { return source->answer(c, 2); };
  auto how = patient;
  store.set("a", 1, how);
  clock.advance(61s);

  SUBCASE("who has waited for the soft timeout gets what is stale, and the load goes on") {
    how.soft_timeout = 1ms;
    sc::lookup<int> found;
    SUBCASE("blocking") {
      found = store.get_or_load<int>("a", how, sc::owned(load));
    }
    SUBCASE("asynchronous") {
      found = store.async_get_or_load<int>("a", how, load, asio::use_future).get();
    }

    CHECK(found.value == 1);
    CHECK(found.freshness == sc::freshness::stale);
    CHECK(store.stats().stale.slow == 1);
    source->release();
    CHECK(becomes(store, "a", 2));
    CHECK_FALSE(source->was_stopped());
  }

  SUBCASE("the call's own timeout gives what is stale, too") {
    auto found = store.get_or_load<int>("a", how, sc::owned([&] {
                                          auto other = std::async(std::launch::async, [&] {
                                            return store.get_or_load<int>("a", patient, failing,
                                                                          {.timeout = 1ms});
                                          });
                                          CHECK(other.get().freshness == sc::freshness::stale);
                                          return 2;
                                        }));
    CHECK(found.value == 2);
  }

  SUBCASE("a load that takes too long is stopped, and is as good as failed") {
    how.load_timeout = 1ms;
    auto failed_as = errc{};
    auto note = [&](const std::function<sc::lookup<int>(const std::string&)>& call) {
      auto stale = call("a");
      CHECK(stale.value == 1);
      CHECK(stale.freshness == sc::freshness::stale);
      CHECK(code_of(stale.error) == errc::execution_timeout);
      // It may have taken too long before it had a thread.
      if (source->asked() > 0) source->wait_stopped();
      try {
        call("nothing there");
      } catch (...) {
        failed_as = code_of(std::current_exception());
      }
      CHECK(failed_as == errc::execution_timeout);
    };
    SUBCASE("blocking") {
      note([&](const std::string& key) {
        return store.get_or_load<int>(key, how, sc::owned(load));
      });
    }
    SUBCASE("asynchronous") {
      note([&](const std::string& key) {
        return store.async_get_or_load<int>(key, how, load, asio::use_future).get();
      });
    }

    CHECK(support::wait_until(
        [&] { return store.stats().load_timeouts + store.stats().loads_failed >= 2; }));
    // What it returned when it stopped was not kept.
    CHECK(store.get<int>("a", {.allow_stale = true}).value == 1);
    CHECK_FALSE(store.get<int>("nothing there"));
  }

  SUBCASE("a plain loader is told to stop, and its caller gets what it returns") {
    // It counts from the look into the tiers below, which has to be over by then.
    how.load_timeout = 250ms;
    auto found = store.get_or_load<int>("a", how, load);

    CHECK(found.value == 2);
    CHECK(source->was_stopped());
    CHECK(store.get<int>("a", {.allow_stale = true}).value == 1);
  }
}

inline void serving(const factory& open) {
  SUBCASE("stale values") {
    stale_values(open);
  }
  SUBCASE("failing loads") {
    failing_loads(open);
  }
  SUBCASE("refreshes") {
    refreshes(open);
  }
  SUBCASE("timeouts") {
    timeouts(open);
  }
}

}  // namespace conformance::cache

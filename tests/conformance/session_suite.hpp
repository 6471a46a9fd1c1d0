#pragma once

#include "scalekit/cache/sessions.hpp"
#include "scalekit/testing/manual_clock.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

// What sessions promise, on whatever store. A driver's tests call run() with a function that opens
// an empty store of that kind on the given clock.

namespace conformance::sessions {

namespace asio = boost::asio;
namespace sc = scalekit::cache;
using namespace std::chrono_literals;

using factory = std::function<sc::store(const scalekit::clock&)>;
using text = std::string;

inline void lives(const factory& open) {
  scalekit::testing::manual_clock clock;
  auto store = open(clock);
  sc::sessions sessions(store, {.idle = 10min, .lifetime = 1h, .clock = &clock});

  SUBCASE("who has the id has the session") {
    const auto id = sessions.create("anna", text("basket"));
    const auto found = sessions.load<text>(id);
    REQUIRE(found);
    CHECK(found->user == "anna");
    CHECK(found->data == "basket");
    CHECK(found->created == clock.wall_now());
    CHECK(found->expires == clock.wall_now() + 1h);
    CHECK(id.size() == 22);
  }
  SUBCASE("who has another one, or none, has nothing") {
    const auto id = sessions.create("anna", text("basket"));
    for (const auto& wrong : {text(), text(22, 'A'), id.substr(1), id + "A", text(10'000, 'x'),
                              text("../../etc/passwd"), text(22, '\0')}) {
      CHECK_FALSE(sessions.load<text>(wrong));
      CHECK_FALSE(sessions.touch(wrong));
      CHECK_FALSE(sessions.save(wrong, text("x")));
      CHECK_FALSE(sessions.rotate(wrong, "anna"));
      sessions.destroy(wrong);
    }
    CHECK(sessions.load<text>(id));
  }
  SUBCASE("data of any type that has a codec") {
    const auto id = sessions.create("", 42);
    CHECK(sessions.load<int>(id)->data == 42);
    CHECK(sessions.save(id, 43));
    CHECK(sessions.load<int>(id)->data == 43);
    CHECK(sessions.load<int>(id)->user.empty());
  }
  SUBCASE("use keeps it, up to its lifetime") {
    const auto id = sessions.create("anna", 1);
    for (int i = 0; i < 6; ++i) {
      clock.advance(9min);
      CHECK((i % 2 == 0 ? sessions.touch(id) : sessions.load<int>(id).has_value()));
    }
    clock.advance(5min + 59s);
    CHECK(sessions.touch(id));
    clock.advance(1s);
    CHECK_FALSE(sessions.touch(id));
    CHECK_FALSE(sessions.load<int>(id));
  }
  SUBCASE("without use it is over, and saving does not bring it back") {
    const auto id = sessions.create("anna", 1);
    clock.advance(10min);
    CHECK_FALSE(sessions.save(id, 2));
    CHECK_FALSE(sessions.load<int>(id));
  }
  SUBCASE("use is written seldom") {
    const auto id = sessions.create("anna", 1);
    const auto before = store.stats().sets;
    for (int i = 0; i < 59; ++i) {
      clock.advance(1s);
      CHECK(sessions.touch(id));
    }
    CHECK(store.stats().sets == before);
    clock.advance(1s);
    CHECK(sessions.touch(id));
    CHECK(sessions.touch(id));
    CHECK(store.stats().sets == before + 1);
  }
}

inline void ends(const factory& open) {
  scalekit::testing::manual_clock clock;
  auto store = open(clock);
  sc::sessions sessions(store, {.idle = 10min, .lifetime = 1h, .clock = &clock});

  SUBCASE("a destroyed session is over at once, for this id alone") {
    const auto id = sessions.create("anna", 1);
    const auto other = sessions.create("anna", 2);
    sessions.destroy(id);
    CHECK_FALSE(sessions.load<int>(id));
    CHECK(sessions.load<int>(other)->data == 2);
    sessions.destroy(id);
  }
  SUBCASE("another id: the old one is worth nothing, the rest stays") {
    const auto id = sessions.create("", text("basket"));
    clock.advance(5min);
    const auto next = sessions.rotate(id, "anna");
    REQUIRE(next);
    CHECK(*next != id);
    CHECK_FALSE(sessions.load<text>(id));
    CHECK_FALSE(sessions.rotate(id, "anna"));
    const auto found = sessions.load<text>(*next);
    REQUIRE(found);
    CHECK(found->user == "anna");
    CHECK(found->data == "basket");
    CHECK(found->expires == clock.wall_now() + 55min);
    clock.advance(9min);
    CHECK(sessions.touch(*next));
    for (int i = 0; i < 5; ++i) {
      clock.advance(9min);
      CHECK(sessions.touch(*next));
    }
    clock.advance(1min);
    CHECK_FALSE(sessions.touch(*next));
  }
  SUBCASE("all of a user, and of nobody else; new ones can begin") {
    std::vector<text> annas;
    for (int i = 0; i < 20; ++i) annas.push_back(sessions.create("anna", i));
    const auto bert = sessions.create("bert", 1);
    annas.push_back(*sessions.rotate(sessions.create("", 1), "anna"));
    const auto was_anna = *sessions.rotate(sessions.create("anna", 7), "bert");

    sessions.destroy_all("anna");

    for (const auto& each : annas) CHECK_FALSE(sessions.touch(each));
    CHECK(sessions.touch(bert));
    CHECK(sessions.touch(was_anna));
    const auto again = sessions.create("anna", 8);
    CHECK(sessions.load<int>(again)->data == 8);
    CHECK_FALSE(sessions.touch(annas.front()));
    sessions.destroy_all("nobody");
  }
  SUBCASE("all of a user, across the end of a period") {
    // Ninety days a period, since 1970.
    const auto period = std::chrono::days(90);
    const auto into = clock.wall_now().time_since_epoch() % period;
    clock.advance(period - into - 1s);
    const auto before = sessions.create("anna", 1);
    clock.advance(2s);
    const auto after = sessions.create("anna", 2);
    CHECK(sessions.touch(before));

    sessions.destroy_all("anna");

    CHECK_FALSE(sessions.touch(before));
    CHECK_FALSE(sessions.touch(after));
  }
  SUBCASE("a part that the cache has lost ends it") {
    const auto id = sessions.create("anna", 1);
    store.clear();
    CHECK_FALSE(sessions.load<int>(id));
    CHECK_FALSE(sessions.touch(id));
    CHECK_FALSE(sessions.save(id, 1));
  }
  SUBCASE("the asynchronous forms do the same") {
    const auto id = sessions.async_create("", 1, {}, asio::use_future).get();
    CHECK(sessions.async_load<int>(id, {}, asio::use_future).get()->data == 1);
    CHECK(sessions.async_save(id, 2, {}, asio::use_future).get());
    CHECK(sessions.async_touch(id, {}, asio::use_future).get());
    const auto next = sessions.async_rotate(id, "anna", {}, asio::use_future).get();
    REQUIRE(next);
    CHECK(sessions.async_load<int>(*next, {}, asio::use_future).get()->data == 2);
    sessions.async_destroy(*next, {}, asio::use_future).get();
    CHECK_FALSE(sessions.async_load<int>(*next, {}, asio::use_future).get());
    const auto last = sessions.async_create("anna", 3, {}, asio::use_future).get();
    sessions.async_destroy_all("anna", {}, asio::use_future).get();
    CHECK_FALSE(sessions.async_touch(last, {}, asio::use_future).get());
  }
}

inline void run(const factory& open) {
  SUBCASE("lives") {
    lives(open);
  }
  SUBCASE("ends") {
    ends(open);
  }
}

}  // namespace conformance::sessions

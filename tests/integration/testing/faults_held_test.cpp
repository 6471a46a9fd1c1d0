#include "shop_database.hpp"
#include "support/throws_errc.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

namespace asio = boost::asio;
namespace db = scalekit::db;
using namespace std::chrono_literals;
using namespace scalekit::testing;
using scalekit::errc;

namespace {

/// What a test waits for in vain is no more than late.
constexpr auto patient = 60s;
const db::call_options patiently{.timeout = patient};

bool is_ready(const auto& future) {
  return future.wait_for(0ms) == std::future_status::ready;
}

}  // namespace

TEST_CASE("a call that is held goes on when it is released") {
  shop_database t;
  auto slow = t.database.inject({.on = call_kind::write, .hold = true});
  auto done = std::async(std::launch::async, [&] { t.shop.write(insert_item(1), patiently); });
  REQUIRE(slow.wait_until_met(1, patient));

  CHECK(t.items() == 0);
  CHECK_FALSE(is_ready(done));
  slow.release();

  done.get();
  CHECK(t.items() == 1);
}

TEST_CASE("a release lets go who is held, not who comes later") {
  shop_database t;
  auto slow = t.database.inject({.on = call_kind::write, .hold = true, .times = 2});
  auto first = std::async(std::launch::async, [&] { t.shop.write(insert_item(1), patiently); });
  REQUIRE(slow.wait_until_met(1, patient));
  slow.release();
  first.get();

  auto second = std::async(std::launch::async, [&] { t.shop.write(insert_item(2), patiently); });
  REQUIRE(slow.wait_until_met(2, patient));
  CHECK(t.items() == 1);
  slow.release();
  second.get();
  CHECK(t.items() == 2);
}

TEST_CASE("a call that is held fails when it is released, if its fault wants that") {
  shop_database t;
  auto slow = t.database.inject({.on = call_kind::read, .error = errc::unavailable, .hold = true});
  auto count = t.shop.async_read<std::int64_t>(count_items(), patiently, asio::use_future);
  REQUIRE(slow.wait_until_met(1, patient));

  slow.release();

  CHECK_ERRC(count.get(), errc::unavailable);
}

TEST_CASE("many calls are held at a time, without a thread each") {
  shop_database t;
  auto slow = t.database.inject({.on = call_kind::read, .hold = true, .times = 50});
  std::vector<std::future<std::vector<std::int64_t>>> counts;
  for (int i = 0; i < 50; ++i) {
    counts.push_back(t.shop.async_read<std::int64_t>(count_items(), patiently, asio::use_future));
  }
  CHECK(slow.met() == 50);

  slow.remove();

  for (auto& count : counts) CHECK(count.get().at(0) == 0);
}

TEST_CASE("a delay passes with the clock of the database") {
  manual_clock clock;
  shop_database t(db::client::open("sqlite::memory:"), clock);
  auto slow = t.database.inject({.on = call_kind::write, .delay = 2s});
  auto done = t.shop.async_write(insert_item(1), patiently, asio::use_future);

  clock.advance(1s);
  CHECK(done.wait_for(20ms) == std::future_status::timeout);
  clock.advance(1s);

  CHECK(done.get().rows_affected() == 1);
}

TEST_CASE("a call that is held longer than its timeout was not made, and no test has slept") {
  manual_clock clock;
  shop_database t(db::client::open("sqlite::memory:"), clock);
  t.database.inject({.on = call_kind::write, .delay = 10min});
  const db::call_options options{.timeout = 5min};
  auto done = t.shop.async_write(insert_item(1), options, asio::use_future);

  clock.advance(1h);

  CHECK_ERRC(done.get(), errc::execution_timeout);
  CHECK(t.items() == 0);
}

TEST_CASE("a call that nobody releases ends with its timeout") {
  shop_database t(db::client::open("sqlite::memory:", {.statement_timeout = 200ms}));
  t.database.inject({.hold = true, .times = fault::unlimited});

  CHECK_ERRC(t.items(), errc::execution_timeout);
  CHECK_ERRC(t.shop.write(insert_item(1), {.timeout = 10ms}), errc::execution_timeout);
  CHECK_ERRC(t.shop.begin({.timeout = 10ms}), errc::acquire_timeout);
}

TEST_CASE("the time of a transaction counts for what is held in it") {
  for (const auto where : {call_kind::write, call_kind::commit}) {
    manual_clock clock;
    shop_database t(db::client::open("sqlite::memory:"), clock);
    auto slow = t.database.inject({.on = where, .hold = true});
    auto done = std::async(std::launch::async, [&] {
      auto tx = t.shop.begin({.timeout = 2min});
      tx.write(insert_item(1), {.timeout = 10min});
      tx.commit();
    });
    REQUIRE(slow.wait_until_met(1, patient));

    clock.advance(3min);

    CHECK_ERRC(done.get(), errc::execution_timeout);
    CHECK(t.items() == 0);
  }
}

TEST_CASE("a call that is held can be stopped") {
  shop_database t;
  auto slow = t.database.inject({.on = call_kind::write, .hold = true});
  std::stop_source stop;
  const db::call_options options{.timeout = patient, .stop = stop.get_token()};
  auto done = std::async(std::launch::async, [&] { t.shop.write(insert_item(1), options); });
  REQUIRE(slow.wait_until_met(1, patient));

  stop.request_stop();

  CHECK_ERRC(done.get(), errc::cancelled);
  CHECK(t.items() == 0);
}

TEST_CASE("who waits for calls that do not come hears so in time") {
  database d;
  const auto slow = d.inject({.hold = true});
  CHECK_FALSE(slow.wait_until_met(1, 10ms));
}

TEST_CASE("the end of the database lets go what is held") {
  std::optional<shop_database> t(std::in_place);
  auto slow = t->database.inject({.on = call_kind::read, .hold = true});
  auto count = t->shop.async_read<std::int64_t>(count_items(), patiently, asio::use_future);
  REQUIRE(slow.wait_until_met(1, patient));

  t.reset();

  CHECK(count.get().at(0) == 0);
}

TEST_CASE("faults are injected, met and removed by many threads at once") {
  shop_database t;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 100; ++i) {
        auto f = t.database.inject({.on = call_kind::read, .delay = 1us, .times = 2});
        t.shop.write(insert_item(1000 * thread + i), patiently);
        t.shop.read<std::int64_t>(count_items(), patiently);
        f.remove();
      }
    });
  }
  threads.clear();
  CHECK(t.items() == 400);
}

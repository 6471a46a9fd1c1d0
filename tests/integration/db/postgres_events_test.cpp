// What the driver logs of its servers: alerts match on these names and fields.

#include "postgres_fixture.hpp"
#include "support/event_log.hpp"
#include "support/reserved_port.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>

using namespace postgres_test;
using namespace std::chrono_literals;
using support::event_log;
using support::wait_until;

namespace {

using fields = std::map<std::string, std::string>;

fields place_of(std::uint16_t port) {
  return {{"server.address", "127.0.0.1"}, {"server.port", std::to_string(port)}};
}

/// The event, once it was heard; its fields are checked.
event_log::event heard(const event_log& events, const std::string& name, const fields& wanted) {
  CAPTURE(name);
  REQUIRE(wait_until([&] { return events.has(name); }));
  auto found = *events.find(name);
  CHECK(found.fields == wanted);
  return found;
}

}  // namespace

TEST_CASE("a server that cannot be reached is told, with libpq's reason") {
  const support::reserved_port nobody;
  event_log events;
  auto client = db::client::open(
      "postgresql://postgres@127.0.0.1:" + std::to_string(nobody.number()) + "/postgres",
      {.log = events.sink()});

  CHECK_ERRC(client.read<int>(sql("select 1")), errc::unavailable);

  const auto told = heard(events, "db.pool.dial_failed", place_of(nobody.number()));
  CHECK(support::contains(told.message, "Connection refused"));
}

TEST_CASE("a connection that is held for too long is told, with the place that took it") {
  const database d;
  event_log events;
  auto client =
      db::client::open(shared_server().url(d.name),
                       {.pool = {.reap_interval = 10ms, .leak_after = 50ms}, .log = events.sink()});

  const auto forgotten = client.begin();

  const auto told = heard(events, "db.pool.leak", place_of(shared_server().port()));
  CHECK(support::contains(told.message, "postgres_events_test.cpp"));
}

TEST_CASE("who waits for a connection while holding one is told") {
  const database d;
  event_log events;
  auto client = db::client::open(shared_server().url(d.name),
                                 {.pool = {.min = 1, .max = 1}, .log = events.sink()});

  client.transaction([&](db::transaction&) {
    CHECK_ERRC(client.read<int>(sql("select 1"), {.timeout = 50ms}), errc::acquire_timeout);
  });

  const auto told = heard(events, "db.pool.nested_acquire", place_of(shared_server().port()));
  CHECK(support::contains(told.message, "use the transaction's own calls"));
}

TEST_CASE("so is the body of an asynchronous transaction that waits for another") {
  const database d;
  event_log events;
  auto client = db::client::open(shared_server().url(d.name),
                                 {.pool = {.min = 1, .max = 1}, .log = events.sink()});

  const auto body = [&](db::transaction&) {
    const auto e = support::error_of([&] { client.read<int>(sql("select 1"), {.timeout = 50ms}); });
    CHECK(e.code() == errc::acquire_timeout);
    CHECK(support::contains(e.what(), "this very thread holds one"));
  };
  client.async_transaction(body, boost::asio::use_future).get();

  const auto told = heard(events, "db.pool.nested_acquire", place_of(shared_server().port()));
  CHECK(support::contains(told.message, "use the transaction's own calls"));
}

TEST_CASE("a listener tells that it listens, that it was cut off, and what a callback threw") {
  const database d;
  event_log events;
  db::listener l(shared_server().url(d.name),
                 {.channels = {"jobs"},
                  .on_notification = [](const db::notification&) {},
                  .on_resync = [] { throw std::runtime_error("no luck"); },
                  .reconnect = {.base = 10ms, .cap = 100ms},
                  .log = events.sink()});

  heard(events, "db.listener.connected", place_of(shared_server().port()));
  CHECK(heard(events, "db.listener.callback_threw", {}).message == "no luck");
  shared_server().terminate_backends("datname = '" + d.name + "'");
  heard(events, "db.listener.lost", place_of(shared_server().port()));
}

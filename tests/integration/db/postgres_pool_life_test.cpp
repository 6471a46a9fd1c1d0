// When connections of the pool end that nobody uses: half-open, old, never made, never in order.

#include "postgres_fixture.hpp"
#include "support/event_log.hpp"
#include "support/reserved_port.hpp"
#include "support/tcp_proxy.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>

using namespace postgres_test;
using namespace std::chrono_literals;
using support::wait_until;

namespace {

std::string url_at(std::uint16_t port) {
  return "postgresql://postgres@127.0.0.1:" + std::to_string(port) + "/postgres";
}

std::int64_t pid_of(db::client& client) {
  return client.read_one<std::int64_t>(sql("select pg_backend_pid()::bigint"));
}

}  // namespace

TEST_CASE("an idle connection whose server has gone without a word is closed by the health check") {
  support::tcp_proxy proxy(shared_server().port());
  auto client = db::client::open(
      url_at(proxy.port()),
      {.pool = {.min = 0, .max = 1, .reap_interval = 10ms, .health_check_interval = 50ms}});
  const auto before = pid_of(client);

  proxy.set_to_client({.swallow = true});
  CHECK(wait_until([&] { return client.statistics().writer.closed.unhealthy > 0; }));
  proxy.heal();

  CHECK(wait_until([&] {
    try {
      return pid_of(client) != before;
    } catch (const scalekit::error&) {
      return false;
    }
  }));
}

TEST_CASE("a connection that has become old is replaced, though somebody uses it") {
  const database d;
  auto client =
      d.open({.pool = {.min = 0, .max = 2, .reap_interval = 10ms, .max_lifetime = 200ms}});
  const auto before = pid_of(client);

  CHECK(wait_until([&] { return pid_of(client) != before; }));

  CHECK(wait_until([&] { return client.statistics().writer.closed.expired > 0; }));
}

TEST_CASE("a server that takes connections and says nothing is given create_timeout") {
  const support::reserved_port nobody;
  support::tcp_proxy mute(nobody.number());
  mute.set_accepting(support::accept_mode::hang);
  support::event_log events;
  auto client = db::client::open(url_at(mute.port()),
                                 {.statement_timeout = 60s,
                                  .acquire_timeout = 60s,
                                  .pool = {.create_timeout = 50ms, .create_retry_interval = 10ms},
                                  .log = events.sink()});

  CHECK_ERRC(client.read<int>(sql("select 1")), errc::unavailable);

  CHECK(events.last("db.pool.dial_failed") == "no answer to the login in time");
}

TEST_CASE(
    "a connection that a frozen server does not bring back into order is given destroy_timeout") {
  support::postgres::server own;
  auto client =
      db::client::open(own.socket_url(),
                       {.pool = {.min = 0, .max = 1, .destroy_timeout = 100ms, .shed_target = 0s}});
  const auto before = pid_of(client);

  own.freeze();
  CHECK_ERRC(client.read<int>(sql("select 1"), {.timeout = 50ms}), errc::execution_timeout);
  CHECK(wait_until([&] { return client.statistics().writer.closed.unhealthy == 1; }));
  own.thaw();

  CHECK(client.read_one<std::int64_t>(sql("select pg_backend_pid()::bigint"), {.timeout = 60s}) !=
        before);
}

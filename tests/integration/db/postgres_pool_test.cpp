// A pool of connections to PostgreSQL: what it tells, and what it does by itself.

#include "postgres_fixture.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <optional>

using namespace postgres_test;
using namespace std::chrono_literals;

TEST_CASE("the pool goes on while a sink is told of it") {
  const database d;
  std::optional<db::client> client;
  std::future<db::client_statistics> asked;
  bool is_answered = false;
  client = d.open({.pool = {.min = 0, .max = 1},
                   .log = scalekit::log_sink([&](const scalekit::log_record& r) {
                     if (r.event != "db.pool.nested_acquire") return;
                     asked = std::async(std::launch::async, [&] { return client->statistics(); });
                     is_answered = asked.wait_for(10s) == std::future_status::ready;
                   })});
  const auto holder = client->begin();

  CHECK_ERRC(client->read<int>(sql("select 1"), {.timeout = 100ms}), errc::acquire_timeout);

  CHECK(is_answered);
}

TEST_CASE("a connection that nobody uses is closed in time, though nothing else happens") {
  const database d;
  auto client =
      d.open({.pool = {.min = 0, .idle_timeout = 50ms, .reap_interval = 10ms, .leak_after = 1h}});
  client.read<int>(sql("select 1"));

  CHECK(support::wait_until([&] { return client.statistics().writer.closed.idle == 1; }));
}

TEST_CASE("a leak is told of in time, though nothing else happens") {
  const database d;
  auto client = d.open({.pool = {.min = 1,
                                 .max = 1,
                                 .idle_timeout = 0ms,
                                 .reap_interval = 10ms,
                                 .health_check_interval = 0ms,
                                 .leak_after = 50ms}});
  client.read<int>(sql("select 1"));
  const auto held = client.begin();

  CHECK(support::wait_until([&] { return client.statistics().writer.leaks_reported == 1; }));
}

// What a write is told of its end when something goes wrong at the very end.

#include "scalekit/db.hpp"
#include "support/postgres/server.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>

using namespace std::chrono_literals;
using namespace scalekit;
using db::sql;

namespace {

errc code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const error& e) {
    return static_cast<errc>(e.code().value());
  }
  return {};
}

}  // namespace

TEST_CASE("a write whose own commit fails is not acknowledged, and the connection goes on") {
  support::postgres::server server;
  auto client = db::client::open(server.socket_url());
  client.run_script(
      "create table parent (n bigint primary key);"
      "create table child (n bigint references parent deferrable initially deferred)");
  const auto insert = sql("insert into child values (7)");

  const auto plain = code_of([&] { client.write(insert); });
  const auto with_rows =
      code_of([&] { client.write<std::int64_t>(sql("insert into child values (7) returning n")); });
  const auto count = client.read_one<int>(sql("select count(*) from child"));

  CHECK(plain == errc::constraint_violation);
  CHECK(with_rows == errc::constraint_violation);
  CHECK(count == 0);
  CHECK(client.statistics().writer.closed.broken == 0);
}

TEST_CASE("a write whose server dies before it answers is in doubt") {
  support::postgres::server server;
  auto client = db::client::open(server.socket_url());
  client.run_script("create table t (n bigint)");

  auto written = std::async(std::launch::async, [&] {
    return code_of(
        [&] { client.write(sql("insert into t select 1 from pg_sleep(60)"), {.timeout = 60s}); });
  });
  REQUIRE(
      server.wait_for("select count(*) from pg_stat_activity where wait_event = 'PgSleep'", "1"));
  server.kill9();

  CHECK(written.get() == errc::commit_in_doubt);
}

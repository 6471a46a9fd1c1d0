// Users who may not ask everything, and servers that acknowledge early.

#include "postgres_topology_fixture.hpp"
#include "scalekit/db.hpp"
#include "support/event_log.hpp"
#include "support/postgres/cluster.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

using namespace scalekit;
using db::sql;
using support::wait_until;
using topology_test::patient;
using topology_test::port_of_read;
using topology_test::shared_cluster;

TEST_CASE(
    "without pg_monitor what must see a write runs on the primary, and the log says so once") {
  auto& of = shared_cluster();
  of.primary().exec(
      "create role plain login; create table plain_news (n bigint);"
      "alter table plain_news owner to plain");
  of.wait_until_caught_up();
  support::event_log events;
  auto params = patient();
  params.log = events.sink();
  auto url = of.url();
  url.replace(url.find("postgres@"), 8, "plain");
  auto client = db::client::open(url, params);

  const auto token = client.write(sql("insert into plain_news values (1)")).token();
  const auto primary = static_cast<std::int64_t>(of.primary().port());

  for (int i = 0; i < 20; ++i) {
    CHECK(port_of_read(client, {.consistency = db::consistency::after(token)}) == primary);
  }
  CHECK(wait_until(
      [&] { return port_of_read(client, {.consistency = db::consistency::any()}) != primary; }));
  CHECK(client.read_one<std::int64_t>(sql("select n from plain_news")) == 1);
  CHECK(events.count("db.host.timeline_unknown") == 1);
  of.primary().exec("drop table plain_news; drop role plain");
}

TEST_CASE("a client whose server acknowledges before the log is written sees its own writes") {
  auto& of = shared_cluster();
  topology_test::make_table(of, "early");
  auto client = db::client::open(of.url() + "?options=-c%20synchronous_commit%3Doff", patient());

  REQUIRE(client.transaction([](db::transaction& tx) {
    return tx.read_one<std::string>(sql("show synchronous_commit"));
  }) == "off");
  int missed = 0;
  for (std::int64_t i = 0; i < 200; ++i) {
    client.write(sql("insert into early values ($1)", i));
    if (client.read_one<std::int64_t>(sql("select count(*) from early")) != i + 1) ++missed;
  }

  CHECK(missed == 0);
  of.primary().exec("drop table early");
}

// Many clients that share what one server gives out.

#include "postgres_fixture.hpp"
#include "support/child_process.hpp"
#include "support/event_log.hpp"
#include "support/postgres/pgbouncer.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace postgres_test;
using namespace std::chrono_literals;
using support::child_process;
using support::event_log;
using support::wait_until;
using support::postgres::pgbouncer;
using support::postgres::server;

namespace {

/// Gives out 17 connections: 15 to the fleet, and two that stay free for who joins it.
struct narrow_server : server {
  narrow_server() : server({.max_connections = 20}) { exec("create role app login"); }

  /// Of a role that no connection is reserved for.
  std::string app_url(const std::string& database = "postgres") const {
    auto text = url(database);
    const std::string owner = "//postgres@";
    return text.replace(text.find(owner), owner.size(), "//app@") +
           "?pool.fleet_budget=true&pool.min=0&pool.adaptive=false&monitor_interval=300ms"
           "&acquire_timeout=30s";
  }

  /// Those in the fleet have a lock each.
  static constexpr const char* members =
      "select count(*) from pg_locks where locktype = 'advisory'";
};

db::pool_statistics pool_of(const db::client& client) {
  return client.statistics().hosts.front().pool;
}

bool has_limit(const db::client& client, std::size_t limit) {
  return wait_until([&] { return pool_of(client).limit == limit; });
}

/// Reads from several threads for as long as it lives.
class load {
 public:
  load(db::client& client, int threads) {
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back([this, client](const std::stop_token& stop) mutable {
        while (!stop.stop_requested()) {
          try {
            client.read_one<int>(sql("select 1 from pg_sleep(0.005)"));
            ++served_;
          } catch (const scalekit::error&) {
            // Its connection was cut off twice.
          }
        }
      });
    }
  }

  bool goes_on() const {
    return wait_until([this, before = served_.load()] { return served_ > before + 20; });
  }

 private:
  std::atomic<int> served_{0};
  std::vector<std::jthread> threads_;
};

std::string connections_of(const std::string& application) {
  return "select count(*) from pg_stat_activity where application_name = '" + application + "'";
}

/// Connections in use at the same time, which stay open afterwards.
void open_connections(db::client& client, std::size_t n) {
  std::vector<db::transaction> held;
  for (std::size_t i = 0; i < n; ++i) held.push_back(client.begin());
  for (auto& each : held) each.commit();
}

}  // namespace

TEST_CASE("four clients under load share a server, and it turns none of them away") {
  const narrow_server s;
  event_log events;
  std::vector<db::client> clients;
  std::vector<std::unique_ptr<load>> callers;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(db::client::open(s.app_url(), {.log = events.sink()}));
    callers.push_back(std::make_unique<load>(clients.back(), 8));
  }
  for (const auto& each : clients) REQUIRE(has_limit(each, 2));
  CHECK(s.wait_for(connections_of("scalekit"), "12"));

  for (int round = 0; round < 5; ++round) {
    s.terminate_backends(
        "pid in (select pid from pg_stat_activity where usename = 'app' and pid not in"
        " (select pid from pg_locks where locktype = 'advisory') limit 4)");
    for (const auto& each : callers) CHECK(each->goes_on());
  }

  CHECK(s.wait_for(connections_of("scalekit"), "12"));
  CHECK(events.count("db.pool.dial_failed", "connection slots") == 0);
  CHECK(events.count("db.pool.dial_failed", "too many clients") == 0);
  for (const auto& each : clients) {
    CHECK(pool_of(each).limit == 2);
    CHECK(pool_of(each).limit_reason == "fleet: 15 connections among 4 clients");
  }
}

TEST_CASE("when a process is killed the others have its share, and when one comes it has one") {
  const narrow_server s;
  const auto peer = [&](const std::string& name) {
    return std::make_unique<child_process>(std::vector<std::string>{
        DB_TEST_PEER, "load", s.app_url() + "&application_name=" + name, "8"});
  };
  auto own = db::client::open(s.app_url());
  own.read_one<int>(sql("select 1"));
  REQUIRE(has_limit(own, 14));

  const auto first = peer("first"), second = peer("second");
  REQUIRE(first->read_line() == "ready");
  REQUIRE(second->read_line() == "ready");
  CHECK(has_limit(own, 4));
  CHECK(s.wait_for(connections_of("first"), "5"));
  CHECK(s.wait_for(connections_of("second"), "5"));

  second->send_signal(SIGKILL);
  CHECK(has_limit(own, 6));
  CHECK(s.wait_for(connections_of("first"), "7"));
  CHECK(pool_of(own).limit_reason == "fleet: 15 connections among 2 clients");

  const auto third = peer("third");
  REQUIRE(third->read_line() == "ready");
  CHECK(has_limit(own, 4));
  CHECK(s.wait_for(connections_of("third"), "5"));
  CHECK(s.wait_for(connections_of("first"), "5"));
}

TEST_CASE("for who joins, idle connections are closed at once and busy ones when they come back") {
  const narrow_server s;
  s.exec("create table t (n int); grant all on t to app");
  auto own = db::client::open(s.app_url());
  own.read_one<int>(sql("select 1"));
  REQUIRE(has_limit(own, 14));
  open_connections(own, 14);
  std::vector<db::transaction> busy;
  for (int i = 0; i < 8; ++i) busy.push_back(own.begin());
  for (auto& each : busy) each.write(sql("insert into t values (1)"));

  // There is no connection left but the two for this.
  auto other = db::client::open(s.app_url());
  CHECK(other.read_one<int>(sql("select 1")) == 1);
  CHECK(has_limit(own, 6));
  CHECK(wait_until([&] { return pool_of(own).idle + pool_of(own).closing == 0; }));
  CHECK(pool_of(own).busy == 8);
  CHECK(pool_of(own).size_reason.ends_with(": fleet: 15 connections among 2 clients"));
  for (auto& each : busy) each.commit();

  CHECK(wait_until([&] { return pool_of(own).idle == 6 && pool_of(own).closing == 0; }));
  CHECK(pool_of(own).closed.broken == 0);
  CHECK(own.read_one<int>(sql("select count(*)::int from t")) == 8);
  CHECK(has_limit(other, 6));
  other.close();
  CHECK(s.wait_for(narrow_server::members, "1"));
  CHECK(has_limit(own, 14));
}

TEST_CASE("limits of the role and of the database are shared by those whom they concern") {
  const narrow_server s;
  s.exec("alter role app connection limit 12");
  s.create_database("small");
  s.exec("alter database small connection limit 7");
  auto own = db::client::open(s.app_url());
  own.read_one<int>(sql("select 1"));
  REQUIRE(has_limit(own, 9));
  CHECK(pool_of(own).limit_reason == "fleet: 10 connections of the role among 1 client");

  auto other = db::client::open(s.app_url("small"));
  other.read_one<int>(sql("select 1"));

  CHECK(has_limit(own, 4));
  CHECK(has_limit(other, 4));
  CHECK(pool_of(own).limit_reason == "fleet: 10 connections of the role among 2 clients");
  s.exec("alter role app connection limit -1");
  CHECK(has_limit(own, 6));
  CHECK(wait_until([&] {
    return pool_of(other).limit_reason == "fleet: 5 connections of the database among 1 client";
  }));
}

TEST_CASE("a client that has lost its place in the fleet takes it again") {
  const narrow_server s;
  event_log events;
  auto own = db::client::open(s.app_url(), {.log = events.sink()});
  own.read_one<int>(sql("select 1"));
  REQUIRE(has_limit(own, 14));
  CHECK(events.last("db.fleet.share").ends_with(": fleet: 15 connections among 1 client"));
  const auto lock = "select pid from pg_locks where locktype = 'advisory'";
  const auto before = s.query_one(lock);

  CHECK(s.terminate_backends("pid = " + before) == 1);

  CHECK(wait_until([&] {
    const auto now = s.query_one(lock);
    return !now.empty() && now != before;
  }));
  CHECK(pool_of(own).limit == 14);
  CHECK(events.has("db.fleet.not_heard"));
}

TEST_CASE("clients of a standby share that standby") {
  const narrow_server primary;
  const auto standby = server::standby_of(primary, {.max_connections = 30});
  const auto url = standby->url() + "?pool.fleet_budget=true&pool.max=50&monitor_interval=300ms";
  auto own = db::client::open(url);
  own.read_one<int>(sql("select 1"));
  CHECK(has_limit(own, 24));

  auto other = db::client::open(url);
  other.read_one<int>(sql("select 1"));

  CHECK(has_limit(own, 11));
  CHECK(primary.query_one(narrow_server::members) == "0");
}

TEST_CASE("behind a pooler there is no budget, and no lock in sessions of others") {
  const narrow_server s;
  const pgbouncer pooler(s);
  const auto url = pooler.url() + "?pool.fleet_budget=true&pool.max=7";
  event_log events;

  CHECK_THROWS_WITH_AS(db::client::open(url + "&transaction_pooler=true"),
                       "pool_params.fleet_budget is true; legal: false with transaction_pooler, "
                       "since the pooler shares out the server's connections",
                       std::invalid_argument);
  auto client = db::client::open(url, {.log = events.sink()});
  client.read_one<int>(sql("select 1"));

  CHECK(has_limit(client, 7));
  CHECK(pool_of(client).limit_reason ==
        "fleet: no budget, a pooler stands before the server, and shares it out itself");
  CHECK(events.count("db.fleet.unavailable") == 1);
  CHECK(s.query_one(narrow_server::members) == "0");
}

// What a call leaves in the session of its connection is not there for the next.

#include "postgres_fixture.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

using namespace postgres_test;

namespace {

/// A client with one connection, which every call gets.
struct alone : database {
  db::client client = open({.pool = {.min = 0, .max = 1, .shed_target = {}}});

  std::int64_t pid() {
    return client.read_one<std::int64_t>(sql("select pg_backend_pid()::bigint"));
  }
  std::string setting() {
    return client.read_one<std::string>(
        sql("select coalesce(current_setting('app.who', true), '')"));
  }
  bool is_lock_free() {
    return support::wait_until([this] {
      return shared_server().query_one("select pg_try_advisory_lock(7)", name) == "t";
    });
  }
};

}  // namespace

TEST_CASE("nobody finds what a script has left in its session") {
  alone a;
  const auto path = [&] { return a.client.read_one<std::string>(sql("show search_path")); };
  const auto before = path();

  a.client.run_script("set search_path = elsewhere; create temp table scratch (n int)");
  const auto after = path();
  const bool has_scratch =
      a.client.read_one<bool>(sql("select to_regclass('pg_temp.scratch') is not null"));

  CHECK(after == before);
  CHECK_FALSE(has_scratch);
  CHECK(a.client.statistics().writer.closed.spent == 1);
}

TEST_CASE("nobody finds what a statement has set for longer than its transaction") {
  const auto set = sql("select set_config('app.who', 'me', false)");
  const struct {
    const char* how;
    std::function<void(db::client&)> call;
  } table[] = {
      {"write", [&](db::client& c) { c.write(set); }},
      {"read", [&](db::client& c) { c.read<std::string>(set); }},
      {"async", [&](db::client& c) { c.async_write(set, boost::asio::use_future).get(); }},
      {"batch",
       [&](db::client& c) {
         db::batch b;
         b.write(sql("select 1"));
         b.write(set);
         c.run(b);
       }},
      {"transaction",
       [&](db::client& c) { c.transaction([&](db::transaction& tx) { tx.write(set); }); }},
      {"copy",
       [&](db::client& c) {
         c.copy_out(sql("copy (select set_config('app.who', 'me', false)) to stdout"),
                    [](std::string_view) {});
       }},
  };
  for (const auto& c : table) {
    INFO(c.how);
    alone a;
    const auto before = a.pid();

    c.call(a.client);

    CHECK(a.setting().empty());
    CHECK(a.pid() != before);
  }
}

TEST_CASE("what ends with the transaction costs no connection") {
  alone a;
  const auto before = a.pid();

  a.client.transaction([](db::transaction& tx) {
    tx.write(sql("select set_config('app.who', 'me', true)"));
    tx.lock(7);
  });

  CHECK(a.setting().empty());
  CHECK(a.pid() == before);
}

TEST_CASE("a lock of a session ends with the call, also of a transaction that was rolled back") {
  const auto lock = sql("select pg_advisory_lock(7) is null");

  SUBCASE("a read") {
    alone a;
    a.client.read<bool>(lock);
    CHECK(a.is_lock_free());
  }
  SUBCASE("a transaction that is left") {
    alone a;
    a.client.begin().read<bool>(lock);
    CHECK(a.is_lock_free());
  }
}

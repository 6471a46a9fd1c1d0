// Savepoints, statements that fail in them, and advisory locks.

#include "postgres_fixture.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

using namespace postgres_test;
using namespace std::chrono_literals;
using scalekit::error;

namespace {

struct numbers : database {
  db::client client = open();

  numbers() { client.run_script("create table t (id bigint primary key)"); }

  std::vector<std::int64_t> ids() {
    return client.read<std::int64_t>(sql("select id from t order by id"));
  }
};

void add(db::transaction& tx, int id) {
  tx.write(sql("insert into t values ($1)", id));
}

/// Runs `body` in a savepoint, and drops the error it must end with.
template <class Body>
void failing_savepoint(db::transaction& tx, Body body) {
  CHECK_THROWS_AS(tx.savepoint(body), error);
}

}  // namespace

TEST_CASE("a statement that fails in a nested savepoint costs only that one") {
  numbers n;

  n.client.transaction([](db::transaction& tx) {
    add(tx, 1);
    tx.savepoint([&] {
      add(tx, 2);
      failing_savepoint(tx, [&] {
        add(tx, 3);
        add(tx, 1);
      });
      tx.savepoint([&] { add(tx, 4); });
    });
    add(tx, 5);
  });

  CHECK(n.ids() == std::vector<std::int64_t>{1, 2, 4, 5});
}

TEST_CASE("an error that passes two savepoints undoes both, and the transaction goes on") {
  numbers n;

  n.client.transaction([](db::transaction& tx) {
    add(tx, 1);
    failing_savepoint(tx, [&] {
      add(tx, 2);
      tx.savepoint([&] {
        add(tx, 3);
        tx.write(sql("select 1 / (id - id) from t"));
      });
    });
    add(tx, 4);
  });

  CHECK(n.ids() == std::vector<std::int64_t>{1, 4});
}

TEST_CASE("a statement after one that failed in the same savepoint fails too") {
  numbers n;

  n.client.transaction([](db::transaction& tx) {
    failing_savepoint(tx, [&] {
      add(tx, 1);
      CHECK_ERRC(add(tx, 1), errc::constraint_violation);
      add(tx, 2);
    });
    CHECK(tx.is_open());
    add(tx, 3);
  });

  CHECK(n.ids() == std::vector<std::int64_t>{3});
}

TEST_CASE("a savepoint that swallows its failed statement cannot be released") {
  numbers n;

  n.client.transaction([](db::transaction& tx) {
    failing_savepoint(tx, [&] {
      add(tx, 1);
      CHECK_ERRC(add(tx, 1), errc::constraint_violation);
    });
    add(tx, 2);
  });

  CHECK(n.ids() == std::vector<std::int64_t>{2});
}

TEST_CASE("a statement that fails outside of savepoints aborts the transaction") {
  numbers n;
  auto tx = n.client.begin();
  add(tx, 1);

  CHECK_ERRC(add(tx, 1), errc::constraint_violation);

  CHECK_FALSE(tx.is_open());
  const auto e = support::error_of([&] { add(tx, 2); });
  CHECK(e.code() == errc::not_allowed);
  CHECK(support::contains(e.what(), "aborted"));
  CHECK_ERRC(tx.commit(), errc::not_allowed);
  CHECK(n.ids().empty());
}

TEST_CASE("rows that cannot be read undo their write, and the transaction goes on") {
  numbers n;

  n.client.transaction([](db::transaction& tx) {
    add(tx, 1);
    CHECK_ERRC(tx.write<std::string>(sql("insert into t values (2) returning id")),
               errc::column_mismatch);
    add(tx, 3);
  });

  CHECK(n.ids() == std::vector<std::int64_t>{1, 3});
}

TEST_CASE("an advisory lock keeps others out until its transaction ends") {
  numbers n;
  auto holder = n.client.begin();
  auto other = n.client.begin();
  holder.lock(42);

  CHECK_FALSE(other.try_lock(42));
  CHECK(other.try_lock(43));
  CHECK_ERRC(other.lock(42, {.timeout = 50ms}), errc::execution_timeout);
  holder.commit();

  auto third = n.client.begin({.read_only = true});
  third.lock(42, {.timeout = 30s});
  CHECK(third.is_open());
}

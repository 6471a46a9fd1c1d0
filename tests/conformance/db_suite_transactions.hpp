#pragma once

// Transactions, savepoints, scripts and migrations.

#include "conformance/db_suite_fixture.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace db_suite {

TEST_CASE("db: a transaction commits what its function returns from, and returns it") {
  shop s;

  auto id = s.client.transaction([](db::transaction& tx) {
    tx.write(sql("insert into product (id, name) values (3, 'desk')"));
    return tx.read_one<std::int64_t>(sql("select max(id) from product"));
  });

  CHECK(id == 3);
  CHECK(s.count() == 3);
}

TEST_CASE("db: a transaction whose function throws is rolled back and the exception goes on") {
  shop s;
  struct host_error {};

  CHECK_THROWS_AS(s.client.transaction([](db::transaction& tx) {
    tx.write(sql("delete from product"));
    throw host_error{};
  }),
                  host_error);

  CHECK(s.count() == 2);
}

TEST_CASE("db: the destructor rolls back, commit makes it stay, and both end it") {
  shop s;
  {
    auto tx = s.client.begin();
    tx.write(sql("delete from product"));
  }
  CHECK(s.count() == 2);

  auto tx = s.client.begin();
  tx.write(sql("delete from product where id = 1"));
  auto done = tx.commit();

  CHECK_FALSE(done.token().empty());
  CHECK_FALSE(tx.is_open());
  CHECK_ERRC(tx.commit(), errc::not_allowed);
  CHECK_ERRC(tx.write(sql("delete from product")), errc::not_allowed);
  CHECK(s.count() == 1);
}

TEST_CASE("db: a failed statement is undone by itself and the transaction goes on") {
  shop s;

  s.client.transaction([](db::transaction& tx) {
    tx.write(sql("insert into product (id, name) values (3, 'desk')"));
    tx.savepoint([] {});
    CHECK_THROWS_AS(tx.savepoint([&] {
      tx.write(sql("insert into product (id, name) values (4, 'lamp'), (3, 'twice')"));
    }),
                    error);
    tx.write(sql("insert into product (id, name) values (5, 'rug')"));
  });

  CHECK(s.client.read<std::int64_t>(sql("select id from product order by id")) ==
        std::vector<std::int64_t>{1, 2, 3, 5});
}

TEST_CASE("db: savepoints nest, and undo only what is in them") {
  shop s;
  auto add = [](db::transaction& tx, int id) {
    tx.write(sql("insert into product (id, name) values ($1, $2)", id, "p" + std::to_string(id)));
  };

  s.client.transaction([&](db::transaction& tx) {
    add(tx, 10);
    auto seen = tx.savepoint([&] {
      add(tx, 11);
      try {
        tx.savepoint([&] {
          add(tx, 12);
          throw 1;
        });
      } catch (int) {
      }
      add(tx, 13);
      return tx.read_one<std::int64_t>(sql("select count(*) from product"));
    });
    CHECK(seen == 5);
  });

  CHECK(s.client.read<std::int64_t>(sql("select id from product where id >= 10 order by id")) ==
        std::vector<std::int64_t>{10, 11, 13});
}

TEST_CASE("db: a read-only transaction reads one snapshot and refuses writes") {
  shop s;

  s.client.transaction(
      [](db::transaction& tx) {
        CHECK(tx.read_one<std::int64_t>(sql("select count(*) from product")) == 2);
        CHECK_ERRC(tx.write(sql("delete from product")), errc::not_allowed);
        CHECK(tx.read_one<std::int64_t>(sql("select count(*) from product")) == 2);
      },
      {.read_only = true});

  CHECK(s.count() == 2);
}

TEST_CASE("db: an advisory lock is taken, and taken again, until the transaction ends") {
  shop s;

  for (int i = 0; i < 2; ++i) {
    s.client.transaction([](db::transaction& tx) {
      tx.lock(7);
      CHECK(tx.try_lock(7));
      CHECK(tx.try_lock(-1));
    });
  }
}

TEST_CASE("db: a script is one transaction") {
  shop s;

  CHECK_THROWS_AS(s.client.run_script("create table a (x bigint); create table product (y bigint)"),
                  error);
  CHECK_ERRC(s.client.read<std::int64_t>(sql("select x from a")), errc::invalid_statement);
}

TEST_CASE("db: migrations run once, in order, and each component has its own") {
  shop s;
  const std::vector<std::string_view> one{"create table a (x bigint)"};
  const std::vector<std::string_view> two{one[0], "alter table a add column y bigint"};

  CHECK(s.client.migrate("shop", one) == 1);
  CHECK(s.client.migrate("shop", one) == 0);
  CHECK(s.client.migrate("shop", two) == 1);
  CHECK(s.client.migrate("other", std::vector<std::string_view>{"create table b (x bigint)"}) == 1);

  CHECK(s.client.read<std::int64_t>(sql("select y from a")).empty());
  auto e = error_of([&] { s.client.migrate("shop", one); });
  CHECK(e.code() == errc::not_supported);
  CHECK(contains(e.what(), "older than the database"));
}

TEST_CASE("db: a migration that fails leaves nothing behind and can be run again") {
  shop s;
  const std::vector<std::string_view> broken{"create table a (x bigint)", "create tabel b"};
  const std::vector<std::string_view> mended{broken[0], "create table b (x bigint)"};

  CHECK_ERRC(s.client.migrate("shop", broken), errc::invalid_statement);
  CHECK(s.client.migrate("shop", mended) == 2);
}

}  // namespace db_suite

#pragma once

// Rows one by one.

#include "conformance/db_suite_fixture.hpp"

#include <string>
#include <tuple>
#include <vector>

namespace db_suite {

/// n = 1 to `count`.
inline db::statement numbers(std::int64_t count) {
  return sql(
      "with recursive a (n) as (select 1 union all select n + 1 from a where n < $1)"
      " select n from a",
      count);
}

TEST_CASE("db: rows are handed over one by one, in order, and counted") {
  shop s;
  std::vector<product> seen;

  const auto count =
      s.client.read_each<product>(sql("select price, id, name from product order by id"),
                                  [&](product&& p) { seen.push_back(std::move(p)); });

  CHECK(count == 2);
  CHECK(seen == s.client.read<product>(sql("select id, name, price from product order by id")));
  CHECK(s.client.read_each<std::int64_t>(sql("select id from product where id > $1", 10),
                                         [](std::int64_t) { FAIL("no row"); }) == 0);
}

TEST_CASE("db: many rows pass one by one, on a client and in a transaction") {
  shop s;
  std::int64_t sum = 0;
  auto add = [&](std::int64_t n) { sum += n; };

  CHECK(s.client.read_each<std::int64_t>(numbers(20'000), add) == 20'000);
  s.client.transaction([&](db::transaction& tx) {
    CHECK(tx.read_each<std::int64_t>(numbers(20'000), add) == 20'000);
    tx.write(sql("delete from product"));
    CHECK(tx.read_each<std::int64_t>(numbers(1), add) == 1);
  });

  CHECK(sum == 2 * 200'010'000 + 1);
  CHECK(s.count() == 0);
}

TEST_CASE("db: what the function throws stops the read, and the client goes on") {
  shop s({.pool = {.min = 1, .max = 1}});
  struct enough {
    std::int64_t at;
  };

  for (int i = 0; i < 3; ++i) {
    std::int64_t seen = 0;
    CHECK_THROWS_AS(s.client.read_each<std::int64_t>(numbers(1'000'000'000),
                                                     [&](std::int64_t n) {
                                                       seen = n;
                                                       if (n == 100) throw enough{n};
                                                     }),
                    enough);
    CHECK(seen == 100);
    CHECK(s.count() == 2);
  }
}

TEST_CASE("db: a read of row after row ends at its limits, its deadline and its stop") {
  shop s;
  std::int64_t rows = 0;
  auto count = [&](std::int64_t) { ++rows; };

  auto e =
      error_of([&] { s.client.read_each<std::int64_t>(numbers(11), count, {}, {.max_rows = 10}); });
  CHECK(e.code() == errc::too_large);
  CHECK(contains(e.what(), "max_rows, 10"));
  CHECK(rows == 10);
  CHECK(s.client.read_each<std::int64_t>(numbers(10), count, {}, {.max_rows = 10}) == 10);
  CHECK_ERRC(s.client.read_each<std::int64_t>(numbers(11), count, {}, {.max_bytes = 80}),
             errc::too_large);

  CHECK_ERRC(s.client.read_each<std::int64_t>(numbers(1'000'000'000), count, {.timeout = 50ms}),
             errc::execution_timeout);
  std::stop_source stop;
  CHECK_ERRC(s.client.read_each<std::int64_t>(numbers(1'000'000'000),
                                              [&](std::int64_t) { stop.request_stop(); },
                                              {.timeout = 60s, .stop = stop.get_token()}),
             errc::cancelled);
  CHECK(s.count() == 2);
}

TEST_CASE("db: a read of row after row fails as any other") {
  shop s;
  auto nothing = [](auto&&) {};

  CHECK_ERRC(s.client.read_each<std::string>(sql("select id from product"), nothing),
             errc::column_mismatch);
  CHECK_ERRC((s.client.read_each<std::tuple<std::int64_t, std::string>>(
                 sql("select id from product"), nothing)),
             errc::column_mismatch);
  CHECK_ERRC(s.client.read_each<std::int64_t>(sql("select id from nowhere"), nothing),
             errc::invalid_statement);
  CHECK_ERRC(s.client.read_each<std::int64_t>(sql("delete from product"), nothing),
             errc::not_allowed);
  CHECK(s.count() == 2);
}

TEST_CASE("db: a function that gets rows must not use their transaction") {
  shop s;
  auto tx = s.client.begin();

  CHECK_ERRC(tx.read_each<std::int64_t>(
                 numbers(3), [&](std::int64_t) { tx.read_one<std::int64_t>(sql("select 1")); }),
             errc::not_allowed);
  tx.rollback();
  CHECK(s.count() == 2);
}

TEST_CASE("db: a function that gets rows may end their transaction, and gets no more") {
  shop s({.pool = {.min = 1, .max = 1}});
  auto tx = s.client.begin();
  tx.write(sql("delete from product"));
  int rows = 0;

  CHECK_ERRC(tx.read_each<std::int64_t>(numbers(1'000'000'000),
                                        [&](std::int64_t) {
                                          ++rows;
                                          tx.rollback();
                                          CHECK_FALSE(tx.is_open());
                                          CHECK_ERRC(tx.write(sql("delete from product")),
                                                     errc::not_allowed);
                                        }),
             errc::not_allowed);

  CHECK(rows == 1);
  CHECK_ERRC(tx.commit(), errc::not_allowed);
  s.client.write(sql("insert into product (id, name) values (3, 'stool')"));
  CHECK(s.count() == 3);
}

}  // namespace db_suite

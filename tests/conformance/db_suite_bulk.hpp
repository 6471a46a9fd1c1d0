#pragma once

// Many rows at once.

#include "conformance/db_suite_fixture.hpp"

#include <string>
#include <tuple>
#include <vector>

namespace db_suite {

/// `count` of them, from id 10 on; every third without a price.
inline std::vector<product> products(int count) {
  std::vector<product> out;
  for (int i = 0; i < count; ++i) {
    product p{10 + i, "p" + std::to_string(i), {}};
    if (i % 3 != 0) p.price = i * 0.5;
    out.push_back(std::move(p));
  }
  return out;
}

TEST_CASE("db: few and many rows are inserted, all of them") {
  for (const int count : {0, 1, 7, 99, 100, 1000}) {
    CAPTURE(count);
    shop s;

    const auto inserted = s.client.insert_many("product", products(count));

    CHECK(inserted == static_cast<std::uint64_t>(count));
    CHECK(s.client.read<product>(
              sql("select id, name, price from product where id >= 10 order by id")) ==
          products(count));
  }
}

TEST_CASE("db: one row that is refused keeps all others out") {
  for (const int count : {10, 1000}) {
    CAPTURE(count);
    shop s;
    auto rows = products(count);
    rows.back().name = "sofa";

    CHECK_ERRC(s.client.insert_many("product", rows), errc::constraint_violation);

    CHECK(s.count() == 2);
    CHECK(s.client.insert_many("product", products(count)) == static_cast<std::uint64_t>(count));
  }
}

TEST_CASE("db: tuples go into the columns that are named") {
  shop s;
  std::vector<std::tuple<std::string, std::int64_t>> rows;
  for (int i = 0; i < 200; ++i) rows.emplace_back("t" + std::to_string(i), 100 + i);

  CHECK(s.client.insert_many({"product", {"name", "id"}}, rows) == 200);

  CHECK(s.client.read_one<std::int64_t>(sql("select id from product where name = 't7'")) == 107);
  CHECK_ERRC(s.client.insert_many("product", rows), errc::invalid_argument);
  CHECK_ERRC(s.client.insert_many({"product", {"name"}}, rows), errc::invalid_argument);
  CHECK_ERRC(s.client.insert_many({"product", {"name", ""}}, rows), errc::invalid_argument);
}

TEST_CASE("db: rows join the transaction that they are inserted in") {
  shop s;

  {
    auto tx = s.client.begin();
    CHECK(tx.insert_many("product", products(500)) == 500);
    CHECK(tx.read_one<std::int64_t>(sql("select count(*) from product")) == 502);
  }
  CHECK(s.count() == 2);

  s.client.transaction([](db::transaction& tx) {
    tx.write(sql("delete from product where id = 1"));
    auto rows = products(500);
    rows.back().name = "chair";
    CHECK_THROWS_AS(tx.savepoint([&] { tx.insert_many("product", rows); }), error);
    tx.insert_many("product", products(300));
  });
  CHECK(s.count() == 301);
}

TEST_CASE("db: rows whose key is there are left out, or take its place") {
  shop s;
  s.client.insert_many("product", products(300));
  auto rows = products(400);
  for (auto& row : rows) row.price = 7.0;

  CHECK(s.client.insert_many("product", rows, {.conflict = db::on_conflict::skip}) == 100);
  CHECK(s.client.read_one<std::int64_t>(sql("select count(*) from product where price = 7")) ==
        100 + 1);
  CHECK(s.client.insert_many("product", rows,
                             {.conflict = db::on_conflict::update, .key = {"id"}}) == 400);
  CHECK(s.client.read_one<std::int64_t>(sql("select count(*) from product where price = 7")) ==
        400);
  CHECK_ERRC(s.client.insert_many("product", rows, {.conflict = db::on_conflict::update}),
             errc::invalid_argument);
}

TEST_CASE("db: many rows are changed by their key") {
  shop s;
  s.client.insert_many("product", products(300));
  auto rows = products(305);
  for (auto& row : rows) {
    row.name += "!";
    row.price.reset();
  }

  CHECK(s.client.update_many("product", rows, {.key = {"id"}}) == 300);

  rows.resize(300);
  CHECK(s.client.read<product>(
            sql("select id, name, price from product where id >= 10 order by id")) == rows);
  CHECK(s.client.read_one<std::string>(sql("select name from product where id = 1")) == "sofa");
}

TEST_CASE("db: a change of many rows is all or nothing, and needs a key") {
  shop s;
  const std::vector<std::tuple<std::int64_t, std::string>> clash{{1, "table"}, {2, "table"}};
  const db::bulk_target names{"product", {"id", "name"}};

  CHECK_ERRC(s.client.update_many(names, clash, {.key = {"id"}}), errc::constraint_violation);
  CHECK_ERRC(s.client.update_many(names, clash, {.key = {}}), errc::invalid_argument);
  CHECK_ERRC(s.client.update_many(names, clash, {.key = {"id", "name"}}), errc::invalid_argument);
  CHECK_ERRC(s.client.update_many(names, clash, {.key = {"price"}}), errc::invalid_argument);

  CHECK(s.client.read_one<std::string>(sql("select name from product where id = 1")) == "sofa");
}

TEST_CASE("db: names of tables and columns may be anything, and inject nothing") {
  shop s;
  s.client.run_script("create table \"a b\" (\"x\"\"; drop table product; --\" bigint)");
  const std::vector<std::tuple<std::int64_t>> rows(150, {1});

  CHECK(s.client.insert_many({"a b", {"x\"; drop table product; --"}}, rows) == 150);
  CHECK_ERRC(s.client.insert_many({"product; drop table product", {"id"}}, rows),
             errc::invalid_statement);
  CHECK(s.count() == 2);
}

TEST_CASE("db: rows are not inserted into a table that is not there, nor by a reader") {
  shop s;

  CHECK_ERRC(s.client.insert_many("nothing", products(1)), errc::invalid_statement);
  CHECK_ERRC(s.client.insert_many("nothing", products(200)), errc::invalid_statement);
  auto tx = s.client.begin({.read_only = true});
  CHECK_ERRC(tx.insert_many("product", products(1)), errc::not_allowed);
  CHECK_ERRC(tx.insert_many("product", products(200)), errc::not_allowed);
}

}  // namespace db_suite

#pragma once

// Reading, writing and what values become.

#include "conformance/db_suite_fixture.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

namespace db_suite {

TEST_CASE("db: rows are read into aggregates by name, whatever the order of the columns") {
  shop s;

  auto rows = s.client.read<product>(sql("select price, name, id from product order by id"));

  CHECK(rows == std::vector<product>{{1, "sofa", 250.5}, {2, "chair", std::nullopt}});
}

TEST_CASE("db: rows are read into tuples by position and single columns into scalars") {
  shop s;

  auto pairs = s.client.read<std::tuple<std::string, std::int32_t>>(
      sql("select name, id from product order by id"));
  auto names = s.client.read<std::string>(sql("select name from product order by id"));

  CHECK(pairs == std::vector<std::tuple<std::string, std::int32_t>>{{"sofa", 1}, {"chair", 2}});
  CHECK(names == std::vector<std::string>{"sofa", "chair"});
}

TEST_CASE("db: parameters may be used in any order and more than once") {
  shop s;

  auto rows = s.client.read<std::int64_t>(
      sql("select id from product where name = $2 and id = $1 and name = $2", 1, "sofa"));

  CHECK(rows == std::vector<std::int64_t>{1});
}

TEST_CASE("db: read_one wants one row, read_optional at most one") {
  shop s;
  auto by_id = [](int id) { return sql("select id, name, price from product where id = $1", id); };

  CHECK(s.client.read_one<product>(by_id(1)).name == "sofa");
  CHECK(s.client.read_optional<product>(by_id(1))->name == "sofa");
  CHECK_FALSE(s.client.read_optional<product>(by_id(3)).has_value());
  CHECK_ERRC(s.client.read_one<product>(by_id(3)), errc::not_found);
  CHECK_ERRC(s.client.read_one<std::int64_t>(sql("select id from product")), errc::too_large);
  CHECK_ERRC(s.client.read_optional<std::int64_t>(sql("select id from product")), errc::too_large);
}

TEST_CASE("db: a write tells how many rows it changed and gives a token") {
  shop s;

  auto none = s.client.write(sql("update product set price = 1 where id = 99"));
  auto two = s.client.write(sql("update product set price = $1", 9.5));

  CHECK(none.rows_affected() == 0);
  CHECK(two.rows_affected() == 2);
  CHECK_FALSE(two.token().empty());
}

TEST_CASE("db: a write hands over the rows of its returning clause") {
  shop s;

  auto ids = s.client.write<std::int64_t>(
      sql("insert into product (id, name) values (10, 'desk'), (11, 'lamp') returning id"));
  auto one = s.client.write_one<std::string>(
      sql("update product set name = 'couch' where id = 1 returning name"));

  CHECK(ids == std::vector<std::int64_t>{10, 11});
  CHECK(one == "couch");
}

TEST_CASE("db: a write whose rows cannot be read has changed nothing") {
  shop s;

  CHECK_ERRC(s.client.write<std::int8_t>(
                 sql("insert into product (id, name) values (1000, 'desk') returning id")),
             errc::value_out_of_range);
  CHECK_ERRC(s.client.write<std::int64_t>(
                 sql("insert into product (id, name) values (3, 'desk') returning id, name")),
             errc::column_mismatch);

  CHECK(s.count() == 2);
  s.client.transaction([&](db::transaction& tx) {
    CHECK_ERRC(tx.write<std::int8_t>(
                   sql("insert into product (id, name) values (1000, 'desk') returning id")),
               errc::value_out_of_range);
    tx.write(sql("insert into product (id, name) values (3, 'lamp')"));
  });
  CHECK(s.count() == 3);
}

TEST_CASE("db: a write in read() is refused") {
  shop s;

  CHECK_ERRC(s.client.read<std::int64_t>(sql("delete from product returning id")),
             errc::not_allowed);
  s.client.transaction([](db::transaction& tx) {
    CHECK_ERRC(tx.read<std::int64_t>(sql("delete from product returning id")), errc::not_allowed);
  });

  CHECK(s.count() == 2);
}

TEST_CASE("db: every type comes back as it was stored") {
  shop s;
  s.client.run_script("create table value (i bigint, d double precision, t text, b " +
                      s.backend->bytes_type() + ")");
  const std::string text = "\xc3\xa4 'quoted' \"twice\" \n";
  const scalekit::bytes blob{std::byte{0}, std::byte{255}, std::byte{0}};
  using row = std::tuple<std::int64_t, double, std::string, scalekit::bytes>;

  for (auto i : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1}, std::int64_t{0},
                 std::numeric_limits<std::int64_t>::max()}) {
    s.client.write(sql("delete from value"));
    s.client.write(sql("insert into value values ($1, $2, $3, $4)", i, 0.1, text, blob));

    CHECK(s.client.read_one<row>(sql("select i, d, t, b from value")) == row{i, 0.1, text, blob});
  }
}

TEST_CASE("db: the largest and the smallest reals and the infinities come back") {
  shop s;
  s.client.run_script("create table value (r double precision)");
  using limits = std::numeric_limits<double>;

  for (double r : {limits::max(), limits::lowest(), limits::min(), limits::denorm_min(),
                   limits::infinity(), -limits::infinity(), -0.0}) {
    s.client.write(sql("delete from value"));
    s.client.write(sql("insert into value values ($1)", r));

    CHECK(s.client.read_one<double>(sql("select r from value")) == r);
  }
}

TEST_CASE("db: a NaN is kept, or refused where the database has none, and never becomes null") {
  shop s;
  s.client.run_script("create table value (r double precision)");
  const auto insert =
      sql("insert into value values ($1)", std::numeric_limits<double>::quiet_NaN());

  if (s.client.dialect() == db::dialect::sqlite) {
    const auto e = error_of([&] { s.client.write(insert); });
    CHECK(e.code() == errc::value_out_of_range);
    CHECK(contains(e.diag().client_message, "$1"));
    CHECK(s.client.read_one<std::int64_t>(sql("select count(*) from value")) == 0);
  } else {
    s.client.write(insert);
    CHECK(std::isnan(s.client.read_one<double>(sql("select r from value"))));
  }
}

TEST_CASE("db: empty text and empty bytes are not null") {
  shop s;
  s.client.run_script("create table value (t text, b " + s.backend->bytes_type() + ")");

  s.client.write(sql("insert into value values ($1, $2)", "", scalekit::bytes{}));

  auto row = s.client.read_one<std::tuple<std::string, scalekit::bytes>>(
      sql("select t, b from value where t is not null and b is not null"));
  CHECK(std::get<0>(row).empty());
  CHECK(std::get<1>(row).empty());
}

TEST_CASE("db: what does not fit is an error and never cut") {
  shop s;
  auto big = sql("select $1 + id from product where id = 1", std::int64_t{299});

  CHECK_ERRC(s.client.read_one<std::int8_t>(big), errc::value_out_of_range);
  CHECK_ERRC(s.client.read_one<std::uint8_t>(big), errc::value_out_of_range);
  CHECK(s.client.read_one<std::int16_t>(big) == 300);
  CHECK_ERRC(s.client.read_one<std::uint64_t>(sql("select -id from product where id = 1")),
             errc::value_out_of_range);
  CHECK_ERRC(sql("select $1", std::numeric_limits<std::uint64_t>::max()), errc::value_out_of_range);
}

TEST_CASE("db: text with a NUL in it is refused") {
  shop s;

  auto e = error_of([&] {
    s.client.write(sql("insert into product (id, name) values (3, $1)", std::string("a\0b", 3)));
  });

  CHECK(e.code() == errc::value_out_of_range);
  CHECK(contains(e.diag().client_message, "$1"));
  CHECK(s.count() == 2);
}

TEST_CASE("db: a statement with a NUL in it is refused, not cut short") {
  shop s;

  CHECK_ERRC(s.client.write(unsafe_sql(std::string("delete from product\0 where id = 7", 33))),
             errc::invalid_statement);
  CHECK_ERRC(s.client.run_script(std::string("delete from product\0;", 21)),
             errc::invalid_statement);

  CHECK(s.count() == 2);
}

TEST_CASE("db: columns that do not match the type are named in the error") {
  shop s;

  auto missing = error_of([&] { s.client.read<product>(sql("select id, name from product")); });
  auto extra = error_of(
      [&] { s.client.read<product>(sql("select id, name, price, 1 as spare from product")); });
  auto twice =
      error_of([&] { s.client.read<product>(sql("select id, name, price, name from product")); });
  auto null =
      error_of([&] { s.client.read<double>(sql("select price from product where id = 2")); });
  auto kind =
      error_of([&] { s.client.read<product>(sql("select id, id as name, price from product")); });

  for (const auto& e : {missing, extra, twice, null, kind}) {
    CHECK(e.code() == errc::column_mismatch);
  }
  CHECK(contains(missing.what(), "'price'"));
  CHECK(contains(extra.what(), "'spare'"));
  CHECK(contains(twice.what(), "'name' is there twice"));
  CHECK(contains(null.what(), "null"));
  CHECK(contains(kind.what(), "'name'"));
  CHECK(contains(kind.what(), "integer"));
}

TEST_CASE("db: values larger than max_value_bytes are not written, bound or in the text") {
  shop s({.max_value_bytes = 4096});
  const std::string large(5000, 'x');

  CHECK_ERRC(s.client.write(sql("insert into product (id, name) values (3, $1)", large)),
             errc::too_large);
  CHECK_ERRC(
      s.client.write(unsafe_sql("insert into product (id, name) values (3, '" + large + "')")),
      errc::too_large);
  CHECK(s.count() == 2);
}

TEST_CASE("db: values larger than max_value_bytes are not read, and the next read is answered") {
  shop s;
  if (!s.backend->is_shared()) {
    MESSAGE("left out: no other client can write what this one must not read");
    return;
  }
  auto strict = s.backend->open({.max_value_bytes = 4096});
  s.client.write(sql("insert into product (id, name) values (3, $1)", std::string(5000, 'x')));
  auto name_of = [&](int id) {
    return strict.read_one<std::string>(sql("select name from product where id = $1", id));
  };

  CHECK_ERRC(name_of(3), errc::too_large);
  CHECK(name_of(1) == "sofa");
}

TEST_CASE("db: a value of 100 MB is refused by the default limit, and kept where it is allowed") {
  shop s;
  const std::string huge(100 << 20, 'x');
  auto insert = sql("insert into product (id, name) values (3, $1)", huge);

  auto e = error_of([&] { s.client.write(insert, {.timeout = 5min}); });
  CHECK(e.code() == errc::too_large);
  CHECK(contains(e.what(), "$1"));
  CHECK(contains(e.what(), "max_value_bytes"));
  CHECK(s.count() == 2);

  auto generous = s.backend->open({.max_value_bytes = 200 << 20});
  generous.write(sql("create table large (t text)"));
  generous.write(sql("insert into large values ($1)", huge), {.timeout = 5min});
  CHECK(generous.read_one<std::string>(sql("select t from large"), {.timeout = 5min}) == huge);
}

TEST_CASE("db: rows of one bool are read") {
  shop s;

  CHECK(s.client.read<bool>(sql("select id = 1 from product order by id")) ==
        std::vector<bool>{true, false});
  CHECK(s.client.read_one<bool>(sql("select count(*) = 2 from product")));
}

}  // namespace db_suite

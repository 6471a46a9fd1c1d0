#pragma once

// How new a read is, what a token is good for, and what transactions see of each other.

#include "conformance/db_suite_fixture.hpp"

#include <boost/asio/use_future.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace db_suite {

inline std::int64_t count_with(db::client& client, const db::call_options& options) {
  return client.read_one<std::int64_t>(sql("select count(*) from product"), options);
}

TEST_CASE("db: every consistency sees, on one host, what was written before") {
  shop s;
  const auto token = s.client.write(sql("insert into product (id, name) values (3, 'desk')"));

  const std::vector<db::consistency> all = {
      db::consistency::own_writes(),
      db::consistency::own_writes_and(db::causal_token::parse(token.token())),
      db::consistency::primary(),
      db::consistency::bounded(1h),
      db::consistency::bounded(0s),
      db::consistency::after(token.token()),
      db::consistency::after(""),
      db::consistency::any(),
  };
  for (const auto& how : all) {
    CAPTURE(static_cast<int>(how.what()));
    auto later = s.client.async_read<std::int64_t>(sql("select count(*) from product"),
                                                   {.consistency = how}, boost::asio::use_future);
    const auto in_transaction = s.client.transaction(
        [](db::transaction& tx) {
          return tx.read_one<std::int64_t>(sql("select count(*) from product"));
        },
        {.consistency = how, .read_only = true});

    CHECK(count_with(s.client, {.consistency = how}) == 3);
    CHECK(later.get().at(0) == 3);
    CHECK(in_transaction == 3);
  }
}

TEST_CASE("db: each kind of write has a token, which another client's read can ask for") {
  shop s;
  if (!s.backend->is_shared()) return;
  auto other = s.backend->open(patient({}));
  db::batch batch;
  batch.write(sql("insert into product (id, name) values (4, 'lamp')"));
  batch.write(sql("insert into product (id, name) values (5, 'rug')"));

  const auto of_write = s.client.execute(sql("delete from product where id = 99")).token();
  const auto of_batch = s.client.run(batch).token();
  const auto seen = count_with(other, {.consistency = db::consistency::after(of_batch)});
  auto tx = s.client.begin();
  tx.write(sql("insert into product (id, name) values (6, 'bed')"));
  const auto of_transaction = tx.commit().token();

  CHECK_FALSE(of_write.empty());
  CHECK(seen == 4);
  CHECK(count_with(other, {.consistency = db::consistency::after(of_transaction)}) == 5);
  for (const auto& token : {of_write, of_batch, of_transaction}) {
    CHECK(db::causal_token::parse(token).to_string() == token);
    CHECK(token.size() <= 48);
  }
}

TEST_CASE("db: what does not write has no token") {
  shop s;
  auto tx = s.client.begin({.read_only = true});
  tx.read<std::int64_t>(sql("select count(*) from product"));

  CHECK(tx.commit().token().empty() == (s.client.dialect() == db::dialect::postgres));
}

TEST_CASE("db: a session's token, as text, takes what it has written to another client") {
  shop s;
  db::session visitor;
  CHECK(visitor.token().empty());

  s.client.write(sql("insert into product (id, name) values (3, 'desk')"), {.session = visitor});
  s.client.transaction(
      [](db::transaction& tx) { tx.write(sql("delete from product where id = 1")); },
      {.session = visitor});
  const std::string cookie = visitor.token();

  // What nothing can miss needs no token.
  CHECK(cookie.empty() == (s.client.dialect() == db::dialect::sqlite));
  CHECK(db::session(cookie).token() == cookie);
  CHECK(count_with(s.client, {.session = db::session(cookie)}) == 2);
  CHECK(count_with(s.client, {.consistency = db::consistency::after(visitor)}) == 2);
  if (!s.backend->is_shared()) return;
  auto other = s.backend->open(patient({}));
  CHECK(count_with(other, {.session = db::session(cookie)}) == 2);
}

TEST_CASE("db: what is no token is refused where it is given, and not repeated") {
  for (const std::string_view text : {"secret", "sqlite ", "pg-1-2", "pg-0-1-1", "PG-1-1-1"}) {
    CAPTURE(text);
    for (const auto& e :
         {error_of([&] { db::consistency::after(text); }), error_of([&] { db::session{text}; }),
          error_of([&] { db::session().observe(text); })}) {
      CHECK(e.code() == errc::invalid_argument);
      CHECK_FALSE(contains(e.what(), "secret"));
    }
  }
  CHECK_ERRC(db::consistency::bounded(-1ns), errc::invalid_argument);
}

TEST_CASE("db: tokens of two databases are not one session's") {
  db::session visitor("sqlite");

  CHECK_ERRC(visitor.observe("pg-1-1-1"), errc::invalid_argument);

  CHECK(visitor.token() == "sqlite");
}

TEST_CASE("db: a transaction of each isolation level reads and writes, and its writes stay") {
  shop s;
  for (const auto level :
       {db::isolation_level::read_committed, db::isolation_level::repeatable_read,
        db::isolation_level::serializable}) {
    CAPTURE(static_cast<int>(level));
    const auto before = s.count();

    const auto seen = s.client.transaction(
        [&](db::transaction& tx) {
          tx.write(sql("insert into product (id, name) values ($1, $2)", before + 1,
                       "product " + std::to_string(before)));
          return tx.read_one<std::int64_t>(sql("select count(*) from product"));
        },
        {.isolation = level});

    CHECK(seen == before + 1);
    CHECK(s.count() == before + 1);
  }
}

TEST_CASE("db: a read-only transaction has one snapshot at each isolation level, and no writes") {
  for (const auto level :
       {db::isolation_level::read_committed, db::isolation_level::repeatable_read,
        db::isolation_level::serializable}) {
    for (const bool deferrable : {false, true}) {
      CAPTURE(static_cast<int>(level));
      CAPTURE(deferrable);
      shop s;
      // A database in memory has one connection for all.
      const bool is_shared = s.backend->is_shared();
      auto tx = s.client.begin({.read_only = true, .isolation = level, .deferrable = deferrable});
      const auto count = [&] {
        return tx.read_one<std::int64_t>(sql("select count(*) from product"));
      };

      const auto before = count();
      if (is_shared) s.client.write(sql("delete from product"));

      CHECK(before == 2);
      CHECK(count() == 2);
      CHECK_ERRC(tx.write(sql("delete from product")), errc::not_allowed);
      tx.rollback();
      CHECK(s.count() == (is_shared ? 0 : 2));
    }
  }
}

}  // namespace db_suite

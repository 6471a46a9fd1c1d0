#pragma once

// Statements that are wrong, or that the database refuses.

#include "conformance/db_suite_fixture.hpp"

#include <string>
#include <vector>

namespace db_suite {

TEST_CASE("db: SQL that is none, or names what is not there, is invalid_statement") {
  shop s;

  CHECK_ERRC(s.client.read<int>(sql("selekt 1")), errc::invalid_statement);
  CHECK_ERRC(s.client.read<int>(sql("select 1 from nowhere")), errc::invalid_statement);
  CHECK_ERRC(s.client.read<int>(sql("-- nothing")), errc::invalid_statement);
  CHECK_ERRC(s.client.read<int>(sql("select 1; select 2")), errc::invalid_statement);
  CHECK_ERRC(s.client.write(sql("delete from product; delete from product")),
             errc::invalid_statement);

  CHECK(s.client.read<int>(sql("select 1; ")) == std::vector<int>{1});
  CHECK(s.count() == 2);
}

TEST_CASE("db: an error names the place in the caller's source") {
  shop s;

  auto line = std::to_string(__LINE__ + 1);
  auto e = error_of([&] { s.client.read<int>(sql("select 1 from nowhere")); });

  CHECK(contains(e.diag().client_message, "db_suite_statements.hpp:" + line));
  line = std::to_string(__LINE__ + 1);
  e = error_of([&] { s.client.read<std::string>(sql("select id from product")); });
  CHECK(contains(e.diag().client_message, "db_suite_statements.hpp:" + line));
}

TEST_CASE("db: another number of parameters than the statement has names both numbers") {
  shop s;

  auto few = error_of([&] {
    s.client.read<std::int64_t>(sql("select id from product where id = $1 or id = $2", 1));
  });
  auto many = error_of(
      [&] { s.client.read<std::int64_t>(sql("select id from product where id = $1", 1, 2)); });

  CHECK(few.code() == errc::parameter_mismatch);
  CHECK(many.code() == errc::parameter_mismatch);
  CHECK(contains(few.what(), "2"));
  CHECK(contains(few.what(), "1"));
}

TEST_CASE("db: transaction control in a statement is refused") {
  shop s;

  CHECK_ERRC(s.client.write(sql("begin")), errc::not_allowed);
  CHECK_ERRC(s.client.write(sql("commit")), errc::not_allowed);
  CHECK_ERRC(s.client.write(sql("savepoint x")), errc::not_allowed);
  s.client.transaction([](db::transaction& tx) {
    CHECK_ERRC(tx.write(sql("rollback")), errc::not_allowed);
    tx.write(sql("delete from product"));
  });

  CHECK(s.count() == 0);
}

TEST_CASE("db: constraints are told as such, with the backend's own code") {
  shop s;

  auto unique =
      error_of([&] { s.client.write(sql("insert into product (id, name) values (3, 'sofa')")); });
  auto not_null = error_of(
      [&] { s.client.write(sql("insert into product (id, name) values (3, $1)", std::nullopt)); });
  auto checked =
      error_of([&] { s.client.write(sql("update product set price = -1 where id = 1")); });

  for (const auto& e : {unique, not_null, checked}) {
    CHECK(e.code() == errc::constraint_violation);
    CHECK_FALSE(e.diag().backend_code.empty());
  }
  CHECK(unique.diag().backend_code != checked.diag().backend_code);
}

TEST_CASE("db: execute runs whatever a statement is, in and out of a transaction") {
  shop s;

  const auto read = s.client.execute<int>(sql("select count(*) from product"));
  const auto changed = s.client.execute(sql("update product set price = 1"));
  const auto returned =
      s.client.execute<std::int64_t>(sql("delete from product where id = 1 returning id"));
  const auto dropped = s.client.execute(sql("select id from product"));
  s.client.transaction([&](db::transaction& tx) {
    CHECK(tx.execute<int>(sql("select count(*) from product")) == std::vector<int>{1});
    tx.execute(sql("delete from product"));
  });

  CHECK(read == std::vector<int>{2});
  CHECK(changed.rows_affected() == 2);
  CHECK(!changed.token().empty());
  CHECK(returned == std::vector<std::int64_t>{1});
  CHECK(dropped.rows_affected() == 0);
  CHECK(s.count() == 0);
  CHECK_ERRC(s.client.execute(sql("begin")), errc::not_allowed);
}

}  // namespace db_suite

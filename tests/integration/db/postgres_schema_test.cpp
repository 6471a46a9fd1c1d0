// The schema changes under statements that a connection has prepared.

#include "postgres_fixture.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

using namespace postgres_test;

namespace {

/// A client with one connection, on which both statements are prepared, before each change.
struct changing : database {
  db::client client = open({.pool = {.min = 0, .max = 1, .shed_target = {}}, .lanes = 0});
  const db::statement read = sql("select * from item where id = $1", 1);
  const db::statement write = sql("update item set id = id where id = $1 returning *", 1);

  changing() {
    client.run_script("create table item (id int); insert into item values (1)");
    prepare();
  }
  void prepare() {
    client.read<std::int64_t>(read);
    client.write<std::int64_t>(write);
  }
  void change(const std::string& type) const {
    shared_server().exec("alter table item alter id type " + type, name);
  }
};

}  // namespace

TEST_CASE("reads and writes of their own meet a change of the schema without an error") {
  changing c;
  const std::vector<std::int64_t> one{1};

  for (const auto* type : {"bigint", "int", "bigint"}) {
    CAPTURE(std::string(type));
    c.change(type);
    CHECK(c.client.read<std::int64_t>(c.read) == one);
    CHECK(c.client.write<std::int64_t>(c.write) == one);
    c.change(type == std::string("int") ? "bigint" : "int");
    CHECK(c.client.write<std::int64_t>(c.write) == one);
    CHECK(c.client.read<std::int64_t>(c.read) == one);
  }
}

TEST_CASE("in a transaction it is an error, and the next one goes well") {
  changing c;
  c.change("bigint");
  const auto in_transaction = [&] {
    return c.client.transaction(
        [&](db::transaction& tx) { return tx.read_one<std::int64_t>(c.read); });
  };

  const auto e = support::error_of([&] { in_transaction(); });

  CHECK(e.diag().backend_code == "0A000");
  CHECK(support::contains(e.what(), "postgres_schema_test.cpp"));
  CHECK(in_transaction() == 1);
}

// A server whose disk is full. What callers of every kind make of it is in
// postgres_faults_server_test.cpp.

#include "postgres_faults_fixture.hpp"

#include <boost/describe.hpp>

#include <functional>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace faults;
using support::postgres::server;
using support::postgres::stop_mode;

namespace {

struct row {
  std::int32_t id;
  std::string filler;
};
BOOST_DESCRIBE_STRUCT(row, (), (id, filler))

constexpr const char* schema =
    "create table item (id int primary key);"
    "insert into item select generate_series(0, 99);"
    "create table written (id int primary key, filler text not null)";

db::statement insert(int id) {
  return sql("insert into written values ($1, repeat('x', 1000))", id);
}

/// Of the table, as the server's own user finds it.
std::string rows(const server& s) {
  return s.query_one("select count(*) from written");
}

void check_is_full(const error& e) {
  CHECK(e.code() == errc::disk_full);
  CHECK(e.diag().backend_code == "53100");
  CHECK(contains(e.what(), "No space left on device"));
}

}  // namespace

TEST_CASE("on a full disk writes of every kind say so and keep nothing, and reads go on") {
  server s({.disk_can_fill = true});
  s.exec(schema);
  auto client = db::client::open(s.socket_url(), patient());
  const auto item = sql("select id from item where id = $1", 7);
  REQUIRE(warm_up<std::int32_t>(client, item));
  int made = 0;
  for (; made < 10; ++made) client.write(insert(made));

  s.fill_disk("base");
  // The last page has room for some yet.
  const auto refused = error_of([&] {
    for (; made < 1000; ++made) client.write(insert(made));
  });

  check_is_full(refused);
  check_is_full(error_of([&] { client.async_write(insert(made), boost::asio::use_future).get(); }));
  db::batch batch;
  batch.write(sql("delete from written where id = 0"));
  batch.write(insert(made));
  const auto of_batch = error_of([&] { client.run(batch); });
  check_is_full(of_batch);
  CHECK(contains(of_batch.what(), "statement 2 of 2 of the batch"));
  check_is_full(error_of([&] {
    client.transaction([&](db::transaction& tx) {
      tx.write(sql("delete from written where id = 0"));
      tx.write(insert(made));
    });
  }));
  std::vector<row> many;
  for (int i = 0; i < 1000; ++i) many.push_back({made + i, "short"});
  check_is_full(error_of([&] { client.insert_many("written", many); }));
  CHECK(rows(s) == std::to_string(made));
  CHECK(client.read_one<std::int64_t>(sql("select count(*) from written")) == made);
  const auto before = client.statistics().shared_reads;
  CHECK(client.async_read<std::int32_t>(item, boost::asio::use_future).get().at(0) == 7);
  CHECK(client.statistics().shared_reads > before);

  s.free_disk();
  client.write(insert(made));
  CHECK(client.insert_many("written", std::vector<row>{{made + 1, "short"}}) == 1);
  CHECK(rows(s) == std::to_string(made + 2));
  CHECK(is_at_rest(client));
}

TEST_CASE("a write in whose commit the server breaks down is in doubt: it may have been made") {
  // A commit waits for others before it is written to the log: long enough for one that does not
  // fit to join it.
  server s({.fsync = true,
            .disk_can_fill = true,
            .more = {{"commit_delay", "100000"},
                     {"commit_siblings", "0"},
                     {"wal_buffers", "32MB"},
                     {"wal_writer_delay", "10s"},
                     {"wal_writer_flush_after", "1GB"}}});
  s.exec(schema);
  auto client = db::client::open(s.socket_url(), patient());
  std::function<void(int)> write;
  SUBCASE("by itself") {
    write = [&](int id) { client.write(insert(id)); };
  }
  SUBCASE("as a transaction") {
    write = [&](int id) {
      client.transaction([&](db::transaction& tx) { tx.write(insert(id)); }, {.timeout = 5s});
    };
  }
  write(0);
  s.fill_disk("pg_wal");

  int id = 0;
  std::optional<error> e;
  while (!e && id < 100) {
    auto written = std::async(std::launch::async, [&] { write(++id); });
    try {
      // More than is left of the log's current file.
      s.exec("select pg_logical_emit_message(false, '', repeat('x', 17000000))");
    } catch (const std::runtime_error&) {
      // It has broken down already.
    }
    try {
      written.get();
    } catch (const error& caught) {
      e = caught;
    }
  }
  s.free_disk();
  s.stop(stop_mode::immediate);
  s.start();

  REQUIRE(e);
  CAPTURE(std::string(e->what()));
  CHECK(scalekit::outcome_unknown(*e));
  // Those before it were acknowledged.
  CHECK(s.query_one("select count(*) from written where id < " + std::to_string(id)) ==
        std::to_string(id));
  // Dials may fail for a moment; what idled since before is not used again.
  CHECK(wait_until([&] {
    try {
      client.write(insert(id + 1));
      return true;
    } catch (const error& not_yet) {
      REQUIRE(not_yet.code() == errc::unavailable);
      return false;
    }
  }));
}

#pragma once

#include "scalekit/db.hpp"
#include "scalekit/slow/tracker.hpp"
#include "support/temp_directory.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <boost/describe.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace shards_test {

namespace db = scalekit::db;
using scalekit::errc;
using scalekit::db::sql;
using support::contains;
using support::error_of;

struct purchase {
  std::int64_t customer;
  std::int64_t id;
  std::string what;
  double price;

  friend bool operator==(const purchase&, const purchase&) = default;
};
BOOST_DESCRIBE_STRUCT(purchase, (), (customer, id, what, price))

inline constexpr const char* schema =
    "create table purchase (customer bigint not null, id bigint not null, what text not null,"
    " price double precision not null, primary key (customer, id));";

inline const db::shard_table purchase_table{"purchase", "customer", {"customer", "id"}};

/// Customers below 100 on "one", to 200 on "two", others on "three".
inline db::shard_map by_hundreds() {
  return db::shard_map::by_range(
      {{{.to = 100}, "one"}, {{.from = 100, .to = 200}, "two"}, {{.from = 200}, "three"}});
}

/// Three SQLite files with a table, and one with the map.
struct files {
  support::temp_directory directory;
  db::client one = open("one"), two = open("two"), three = open("three"), home = open("home");

  files() {
    for (auto* each : {&one, &two, &three}) each->run_script(schema);
  }

  db::client open(const std::string& name) const { return tracked(name, nullptr); }
  db::client tracked(const std::string& name, std::shared_ptr<scalekit::slow::tracker> by) const {
    // Nothing is late only because the machine is slow.
    return db::client::open("sqlite://" + directory.file(name + ".db"),
                            {.statement_timeout = std::chrono::seconds(60),
                             .acquire_timeout = std::chrono::seconds(60),
                             .sqlite = {.synchronous = db::synchronous_mode::off},
                             .tracker = std::move(by)});
  }
  db::shards::named_clients clients() const {
    return {{"one", one}, {"two", two}, {"three", three}};
  }
};

inline void buy(const db::shards& shop, std::int64_t customer, std::int64_t id, double price = 1,
                const std::string& what = "sofa") {
  shop.on(customer).write(
      sql("insert into purchase (customer, id, what, price) values ($1, $2, $3, $4)", customer, id,
          what, price));
}

inline std::int64_t count(db::client& of) {
  return of.read_one<std::int64_t>(sql("select count(*) from purchase"));
}

/// By what the clients of the shards told their trackers. `Places` are files or servers.
template <class Places>
void asks_each_shard_for_the_limit_only(Places& of) {
  std::map<std::string, std::shared_ptr<scalekit::slow::tracker>> told;
  db::shards::named_clients clients;
  for (const auto* name : {"one", "two", "three"}) {
    told[name] = std::make_shared<scalekit::slow::tracker>();
    clients.emplace_back(name, of.tracked(name, told[name]));
  }
  const db::shards shop(std::move(clients), by_hundreds());
  // Many on the first, few on the second, none on the third.
  for (int i = 0; i < 50; ++i) buy(shop, i, i, i);
  for (int i = 0; i < 3; ++i) buy(shop, 100 + i, i, 1000 + i);
  const auto asked = [&](const std::string& name) {
    std::vector<std::uint64_t> calls_and_rows{0, 0};
    for (const auto& each : told[name]->top(100, scalekit::slow::top_by::calls)) {
      if (!each.text.starts_with("select customer")) continue;
      calls_and_rows = {each.calls, each.rows};
    }
    return calls_and_rows;
  };
  const auto dearest =
      sql("select customer, id, what, price from purchase order by price desc, id limit $1");
  const auto read = [&](std::size_t limit) {
    return shop.read_all<purchase>(dearest,
                                   {.order_by = db::descending(&purchase::price), .limit = limit});
  };

  const auto four = read(4).rows;

  REQUIRE(four.size() == 4);
  CHECK(four.front().price == 1002);
  CHECK(four.back().price == 49);
  CHECK(asked("one") == std::vector<std::uint64_t>{1, 4});
  CHECK(asked("two") == std::vector<std::uint64_t>{1, 3});
  CHECK(asked("three") == std::vector<std::uint64_t>{1, 0});
  CHECK(read(1).rows.size() == 1);
  CHECK(asked("one") == std::vector<std::uint64_t>{2, 5});
  CHECK(asked("two") == std::vector<std::uint64_t>{2, 4});
}

}  // namespace shards_test

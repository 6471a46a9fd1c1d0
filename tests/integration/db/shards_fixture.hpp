#pragma once

#include "scalekit/db.hpp"
#include "support/temp_directory.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <boost/describe.hpp>

#include <chrono>
#include <cstdint>
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

  db::client open(const std::string& name) const {
    // Nothing is late only because the machine is slow.
    return db::client::open("sqlite://" + directory.file(name + ".db"),
                            {.statement_timeout = std::chrono::seconds(60),
                             .acquire_timeout = std::chrono::seconds(60),
                             .sqlite = {.synchronous = db::synchronous_mode::off}});
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

}  // namespace shards_test

#pragma once

#include "scalekit/db.hpp"
#include "scalekit/testing.hpp"

#include <cstdint>
#include <utility>

inline scalekit::db::statement insert_item(std::int64_t id) {
  return scalekit::db::sql("insert into item (id, name) values ($1, $2)", id, "sofa");
}

inline scalekit::db::statement count_items() {
  return scalekit::db::sql("select count(*) from item");
}

/// A database for tests with a table of items, and a client of it.
struct shop_database {
  scalekit::testing::database database;
  scalekit::db::client shop = database.client();

  explicit shop_database(scalekit::db::client over = scalekit::db::client::open("sqlite::memory:"),
                         const scalekit::clock& time = scalekit::clock::system())
      : database(std::move(over), time) {
    shop.run_script("create table item (id integer primary key, name text not null)");
    database.clear_log();
  }

  std::int64_t items() { return shop.read_one<std::int64_t>(count_items()); }
};

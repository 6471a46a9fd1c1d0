#pragma once

// The database that the conformance suite of room db runs on, and what its tests share.

#include "scalekit/db.hpp"
#include "support/throws_errc.hpp"

#include <boost/describe.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace db_suite {

namespace db = scalekit::db;
using namespace std::chrono_literals;
using scalekit::errc;
using scalekit::error;
using scalekit::db::sql;
using scalekit::db::unsafe_sql;
using support::contains;
using support::error_of;

/// An empty database of a test's own, and what its SQL calls things.
struct database {
  virtual ~database() = default;
  virtual db::client open(db::client_params params = {}, scalekit::execution exec = {}) = 0;
  /// Whether what open() gives another time is the same database.
  virtual bool is_shared() const { return true; }
  /// "blob", "bytea".
  virtual std::string bytes_type() const = 0;
  /// A column that numbers rows: "integer primary key".
  virtual std::string numbered_key() const = 0;
  /// A read that runs for at least a minute.
  virtual std::string endless_read() const = 0;
};

/// Nothing is late only because the machine is slow: what a test is about it sets itself.
inline db::client_params patient(db::client_params params) {
  const db::client_params usual;
  if (params.acquire_timeout == usual.acquire_timeout) params.acquire_timeout = 60s;
  if (params.statement_timeout == usual.statement_timeout) params.statement_timeout = 60s;
  return params;
}

/// Defined by each driver's test program.
std::unique_ptr<database> make_database();

struct product {
  std::int64_t id = 0;
  std::string name;
  std::optional<double> price;

  friend bool operator==(const product&, const product&) = default;
};
BOOST_DESCRIBE_STRUCT(product, (), (id, name, price))

/// Two products: 1 sofa at 250.5, 2 chair without a price.
struct shop {
  std::unique_ptr<database> backend = make_database();
  db::client client;

  explicit shop(db::client_params params = {}, scalekit::execution exec = {})
      : client(backend->open(patient(std::move(params)), std::move(exec))) {
    client.run_script("create table product (id " + backend->numbered_key() +
                      ", name text not null unique, price double precision check (price >= 0));"
                      "insert into product (id, name, price) values (1, 'sofa', 250.5);"
                      "insert into product (id, name) values (2, 'chair');");
  }

  std::int64_t count() {
    return client.read_one<std::int64_t>(sql("select count(*) from product"));
  }
};

}  // namespace db_suite

#pragma once

#include "scalekit/db.hpp"
#include "support/postgres/server.hpp"
#include "support/throws_errc.hpp"

#include <atomic>
#include <string>
#include <utility>

namespace postgres_test {

namespace db = scalekit::db;
using scalekit::errc;
using scalekit::db::sql;
using scalekit::db::unsafe_sql;

/// One for all tests of the program that do not harm it.
inline support::postgres::server& shared_server() {
  static support::postgres::server running({.more = {{"deadlock_timeout", "20ms"}}});
  return running;
}

/// A database of a test's own on the shared server.
struct database {
  std::string name;
  std::string url;

  database() {
    static std::atomic<int> next{0};
    name = "test_" + std::to_string(next++);
    shared_server().create_database(name);
    url = shared_server().socket_url(name);
  }

  db::client open(db::client_params params = {}, scalekit::execution exec = {}) const {
    return db::client::open(url, std::move(params), std::move(exec));
  }
};

}  // namespace postgres_test

#pragma once

// What the tests that attack the PostgreSQL driver stand on.

#include "scalekit/db.hpp"
#include "support/postgres/server.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace faults {

namespace db = scalekit::db;
using namespace std::chrono_literals;
using scalekit::errc;
using scalekit::error;
using scalekit::db::sql;
using scalekit::db::unsafe_sql;
using support::contains;
using support::error_of;
using support::wait_until;

/// For tests that do not harm the server itself.
inline support::postgres::server& shared_server() {
  static support::postgres::server running({.max_connections = 100});
  return running;
}

/// A database of a test's own on the shared server.
class database {
 public:
  database() {
    static std::atomic<int> next{0};
    name_ = "faults_" + std::to_string(next++);
    shared_server().create_database(name_);
  }
  explicit database(const std::string& script) : database() { exec(script); }

  const std::string& name() const noexcept { return name_; }
  std::string url() const { return shared_server().socket_url(name_); }
  db::client open(db::client_params params = {}, scalekit::execution exec = {}) const {
    return db::client::open(url(), std::move(params), std::move(exec));
  }
  /// As somebody else, on another connection.
  void exec(const std::string& text) const { shared_server().exec(text, name_); }
  std::string query_one(const std::string& text) const {
    return shared_server().query_one(text, name_);
  }

 private:
  std::string name_;
};

/// Enough for a server and a machine that are busy.
inline db::client_params patient(db::client_params params = {}) {
  params.statement_timeout = 60s;
  params.acquire_timeout = 60s;
  params.transaction_timeout = 60s;
  params.pool.shed_target = 0s;
  return params;
}

/// Reads until the statement is proven and shares connections.
template <class Row>
bool warm_up(db::client& client, const db::statement& query) {
  const auto before = client.statistics().shared_reads;
  const bool shares = wait_until([&] {
    client.async_read<Row>(query, boost::asio::use_future).get();
    return client.statistics().shared_reads > before;
  });
  const auto now = client.statistics();
  if (!shares) {
    MESSAGE("of ", now.statements, " reads none was shared; proofs ", now.lanes.proofs, ", proven ",
            now.lanes.proven, ", too slow ", now.lanes.slow, ", refused ", now.lanes.refused,
            "; dials ", now.writer.dials, ", waited ", now.writer.waited);
  }
  return shares;
}

/// Nothing is lent and nobody waits.
inline bool is_at_rest(const db::client& client) {
  const auto rests = [](const db::pool_statistics& pool) {
    return pool.busy == 0 && pool.waiting == 0 && pool.unready == 0;
  };
  return wait_until([&] {
    const auto now = client.statistics();
    return rests(now.writer) && rests(now.readers);
  });
}

}  // namespace faults

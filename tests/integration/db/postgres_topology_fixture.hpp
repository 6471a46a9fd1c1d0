#pragma once

#include "scalekit/db.hpp"
#include "support/postgres/cluster.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace topology_test {

/// Enough time for servers and a machine that are busy; a monitor that hears of changes at once.
inline scalekit::db::client_params patient() {
  using namespace std::chrono_literals;
  scalekit::db::client_params params;
  params.statement_timeout = 60s;
  params.acquire_timeout = 30s;
  params.topology.monitor_interval = 100ms;
  params.topology.evidence_lease = 2s;
  params.topology.slow_start = 0ms;
  return params;
}

/// A primary, node 0, and two replicas, for tests that leave them as they were.
inline support::postgres::cluster& shared_cluster() {
  static support::postgres::cluster running;
  return running;
}

/// A table of numbers of a test's own.
inline void make_table(support::postgres::cluster& of, const std::string& name) {
  of.primary().exec("create table " + name + " (n bigint primary key)");
  of.wait_until_caught_up();
}

/// Replicas that stay where they are while this lives, or until they go on.
class paused_replay {
 public:
  explicit paused_replay(support::postgres::cluster& of, std::vector<std::size_t> which = {1, 2})
      : of_(of), which_(std::move(which)) {
    for (const auto i : which_) of_.pause_replay(i);
  }
  ~paused_replay() { resume(); }
  paused_replay(const paused_replay&) = delete;
  paused_replay& operator=(const paused_replay&) = delete;

  void resume() {
    for (const auto i : std::exchange(which_, {})) of_.resume_replay(i);
  }

 private:
  support::postgres::cluster& of_;
  std::vector<std::size_t> which_;
};

inline scalekit::db::statement port() {
  return scalekit::db::sql("select inet_server_port()::bigint");
}

inline std::int64_t port_of_read(scalekit::db::client& c,
                                 const scalekit::db::call_options& options = {}) {
  return c.read_one<std::int64_t>(port(), options);
}

}  // namespace topology_test

#pragma once

#include "scalekit/db/client_params.hpp"

#include <chrono>

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

}  // namespace topology_test

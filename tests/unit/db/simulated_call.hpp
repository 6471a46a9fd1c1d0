#pragma once

#include "db/postgres/second_chance.hpp"
#include "simulated_pool.hpp"

#include <cstddef>
#include <optional>

namespace test {

using db::consistency;
using db::detail::access;

/// How often what happened: lives in which little happens prove little.
struct counts {
  std::size_t writes = 0;
  std::size_t refused_writes = 0;
  std::size_t split_brains = 0;
  std::size_t writes_in_doubt = 0;
  std::size_t reads_on_replicas = 0;
  std::size_t reads_on_primary = 0;
  std::size_t asks = 0;
  std::size_t lost_tokens = 0;
  std::size_t bounded_on_replicas = 0;
  std::size_t waits = 0;
  std::size_t turned_away = 0;
  std::size_t retries = 0;
  std::size_t too_late_to_write = 0;
  std::size_t evictions = 0;
  std::size_t stopped = 0;
  std::size_t dial_failures = 0;
  /// Connections made after what reads that came upon them were to rest on.
  std::size_t new_connections = 0;
  std::size_t new_standbys = 0;
  std::size_t resets = 0;
};

struct simulated_call : simulated_waiter {
  enum class stage { looking, waiting, running, over };

  access kind = access::read;
  consistency how = consistency::any();
  std::optional<true_write> must_see;
  time_point begun, deadline, patience;
  stage where = stage::looking;
  unsigned asked = 0;
  /// Answers to earlier ones are of no interest.
  unsigned attempt = 0;
  read_route route;
  /// Of the timeline of the host that it was sent to.
  bool knew_history = false;
  host_id host = 0;
  db::postgres::second_chance chance;
};

}  // namespace test

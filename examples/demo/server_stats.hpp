#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace demo {

struct slow_statement {
  std::string sql;
  std::uint64_t calls = 0;
  double total_ms = 0;
  double p95_ms = 0;
};

/// A database server, as the shop sees it.
struct database_host {
  std::string name;
  std::string role;
  std::uint64_t reads = 0;
  /// Negative: not known.
  double lag_ms = -1;
  std::string state;
};

/// What the demo wants to know from the server's /stats.
struct server_stats {
  double cache_lookups = 0;
  double cache_hits = 0;

  /// Jobs that are not done yet, and those that never will be.
  std::uint64_t jobs_open = 0;
  std::uint64_t jobs_dead = 0;
  std::map<std::string, std::uint64_t> jobs_done;

  /// None of SQLite.
  std::vector<database_host> hosts;

  std::vector<slow_statement> slowest;
  std::vector<std::string> n_plus_one;
};

/// Throws std::exception for what is not a statistics page.
server_stats parse_stats(std::string_view json);

/// What happened between two pages of the same server: counters are differences, the rest is the
/// later one's.
server_stats since(const server_stats& earlier, server_stats later);

/// Asks the server.
server_stats fetch_stats(std::uint16_t port);

}  // namespace demo

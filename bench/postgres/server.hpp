#pragma once

#include "support/postgres/server.hpp"

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>

namespace bench::postgres {

/// Rows of pgbench_accounts.
inline constexpr std::int32_t account_count = 2'000'000;

/// A server with pgbench's tables at scale 20, all in its buffers, with the durability of a
/// production server. Starts with the first need and ends with this object.
class server {
 public:
  /// By the unix socket.
  std::string url() { return running().socket_url(); }

  enum class script { select, update };

  /// Transactions a second of pgbench -M prepared -j 2, for a second at each of these numbers of
  /// connections: the best of them.
  double best_pgbench(script what, std::initializer_list<int> connections);

 private:
  support::postgres::server& running();

  std::unique_ptr<support::postgres::server> running_;
};

}  // namespace bench::postgres

#pragma once

#include "support/postgres/run_directory.hpp"
#include "support/postgres/server.hpp"
#include "support/reserved_port.hpp"

#include <cstdint>
#include <string>
#include <sys/types.h>

namespace support::postgres {

enum class pool_mode { transaction, session };

struct pgbouncer_params {
  pool_mode mode = pool_mode::transaction;
  /// Connections to the server, for each database.
  int pool_size = 20;
  int max_clients = 200;
  /// Lines of its [pgbouncer] section; go over everything the fixture sets.
  settings more{};
};

/// A PgBouncer in front of every database of a server, which must outlive it. Asks for the
/// password the server asks for. What fails throws std::runtime_error.
class pgbouncer {
 public:
  /// Returns once a query goes through.
  explicit pgbouncer(const server& target, pgbouncer_params params = {});
  ~pgbouncer();
  pgbouncer(const pgbouncer&) = delete;
  pgbouncer& operator=(const pgbouncer&) = delete;

  std::string url(const std::string& database = "postgres") const;
  std::uint16_t port() const noexcept { return port_.number(); }
  /// -1 while it does not run.
  pid_t pid() const noexcept { return pid_; }

  /// A command of its admin console, such as PAUSE, RESUME or KILL; the first value of the answer.
  std::string console(const std::string& command) const;

  void start();
  /// At once: clients are cut off.
  void stop();

 private:
  void write_files() const;
  bool answers() const;

  const server& target_;
  pgbouncer_params params_;
  reserved_port port_;
  run_directory directory_;
  pid_t pid_ = -1;
};

}  // namespace support::postgres

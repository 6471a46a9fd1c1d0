#pragma once

#include "support/postgres/run_directory.hpp"
#include "support/reserved_port.hpp"
#include "support/wait_until.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace support::postgres {

/// Lines of postgresql.conf, unquoted.
using settings = std::map<std::string, std::string>;

struct server_params {
  int max_connections = 50;
  bool fsync = false;
  /// TLS offered (not required) on TCP, with a certificate that signed itself: server::ca_file().
  bool tls = false;
  /// When not empty, TCP asks for it by SCRAM, and url() holds it. The socket always trusts.
  std::string password{};
  /// What it says it says in this language, "de" for instance, if PostgreSQL was installed with
  /// translations. Empty: English.
  std::string language{};
  /// A system identifier unlike that of other servers; costs an initdb, a second or two.
  bool own_identity = false;
  /// fill_disk() can be called.
  bool disk_can_fill = false;
  /// Goes over everything the fixture sets.
  settings more{};
};

enum class stop_mode { fast, immediate };

/// A real PostgreSQL server of the test's own: a private directory, a port of 127.0.0.1 and a unix
/// socket. It runs as another user when the test is root. It never outlives the test process.
///
/// Every wait ends within a minute; what fails throws std::runtime_error with the end of the
/// server's log. Members may be called from several threads except for those that start, stop or
/// freeze.
class server {
 public:
  /// Returns once it answers queries.
  explicit server(server_params params = {});
  /// A streaming standby of `primary`, from a base backup; `params.max_connections` must not be
  /// below the primary's. Shares no life with it.
  static std::unique_ptr<server> standby_of(const server& primary, server_params params);
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// postgresql://postgres@127.0.0.1:PORT/DATABASE
  std::string url(const std::string& database = "postgres") const;
  /// The same by the unix socket.
  std::string socket_url(const std::string& database = "postgres") const;
  std::uint16_t port() const noexcept { return port_.number(); }
  /// -1 while it does not run.
  pid_t pid() const noexcept { return pid_; }
  std::filesystem::path data_dir() const { return directory_ / "data"; }
  /// Of its unix socket.
  const std::filesystem::path& socket_dir() const noexcept { return directory_.path(); }
  /// For sslmode=verify-full&sslrootcert=...
  std::filesystem::path ca_file() const { return directory_ / "server.crt"; }
  std::string log_tail() const;
  const std::string& password() const noexcept { return params_.password; }

  /// On a connection of its own by the unix socket, as superuser.
  void exec(const std::string& sql, const std::string& database = "postgres",
            std::chrono::milliseconds patience = long_patience) const;
  /// The first value of the first row; "" for null and for no row.
  std::string query_one(const std::string& sql, const std::string& database = "postgres",
                        std::chrono::milliseconds patience = long_patience) const;
  /// Waits until `query` answers `wanted`; errors count as another answer. False when it never did.
  bool wait_for(const std::string& query, const std::string& wanted) const;
  /// The url() of a new database, a copy of `from`.
  std::string create_database(const std::string& name, const std::string& from = "template1") const;
  /// Ends client connections for which the condition on pg_stat_activity holds; how many.
  int terminate_backends(const std::string& where = "true") const;

  /// Starts a server that was stopped or killed, on the port and data it had.
  void start();
  void stop(stop_mode mode = stop_mode::fast);
  void restart(stop_mode mode = stop_mode::fast);
  /// SIGKILL to the postmaster and all its children: a crash of the machine, but for the page
  /// cache.
  void kill9();
  /// Whether it runs; not so any more when it has ended by itself.
  bool is_running();
  /// Until free_disk(), no file below this part of its data directory can grow: "base" has tables
  /// and indexes, "pg_wal" the log. It runs for all that, as far as a server can.
  void fill_disk(const std::string& part) const;
  void free_disk() const;
  /// SIGSTOP to all of them: connections stay, nothing answers.
  void freeze();
  void thaw();
  /// A standby becomes a primary; returns once it accepts writes.
  void promote();
  /// Throws its data away and starts as a new standby of `primary`, on the same port.
  void become_standby_of(const server& primary);
  /// A standby streams from somewhere else: a conninfo or URL, of a proxy for instance.
  void follow(const std::string& upstream);

  /// Merges into the settings; for the next start.
  void configure(const settings& changes);
  /// Merges into the settings and returns once the postmaster has read them.
  void reload(const settings& changes = {});

 private:
  struct empty_directory {};
  server(server_params params, empty_directory);

  settings basic_settings() const;
  void make_certificate() const;
  void mark_as_standby() const;
  void write_configuration() const;
  void write_access_rules() const;
  std::vector<std::string> command() const;
  std::filesystem::path full_part() const { return directory_ / "full"; }
  bool answers() const;
  void remove_shared_memory() const;
  [[noreturn]] void fail(const std::string& what) const;

  server_params params_;
  reserved_port port_;
  run_directory directory_;
  settings settings_;
  pid_t pid_ = -1;
};

}  // namespace support::postgres

#pragma once

#include "support/postgres/run_directory.hpp"
#include "support/process/child_server.hpp"
#include "support/reserved_port.hpp"
#include "support/wait_until.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace support::redis {

struct server_params {
  /// When not empty, everybody has to say it.
  std::string password{};
  /// TCP by TLS only, with a certificate for 127.0.0.1 and localhost that signed itself.
  bool tls = false;
  /// Survives a restart: what was acknowledged is in a file.
  bool durable = false;
  /// Lines of redis.conf, which go over what the fixture sets.
  std::vector<std::pair<std::string, std::string>> more{};
  /// When not empty it is a sentinel: these lines begin its configuration.
  std::vector<std::string> sentinel{};
};

/// A real Redis server of the test's own: a private directory, a port of 127.0.0.1 and a unix
/// socket. It never outlives the test process.
///
/// Every wait ends within a minute; what fails throws std::runtime_error with the end of the
/// server's log. One thread at a time.
class server {
 public:
  /// Returns once it answers.
  explicit server(server_params params = {});
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// redis[s]://[:password@]127.0.0.1:PORT
  std::string url() const { return url_at(port()); }
  /// The same through another port, a proxy's for instance.
  std::string url_at(std::uint16_t port) const;
  /// redis+unix://[:password@]/path
  std::string socket_url() const;
  std::uint16_t port() const noexcept { return port_.number(); }
  pid_t pid() const noexcept { return process_.pid(); }
  std::filesystem::path socket_path() const { return directory_ / "socket"; }
  /// For tls.ca_file.
  std::filesystem::path ca_file() const { return directory_ / "server.crt"; }
  std::string log_tail() const;

  /// Runs a command by the unix socket, as an administrator; its answer as text: an array's
  /// elements one a line, nothing for nil, "ERR ..." for errors. Throws where there is no answer in
  /// time.
  std::string ask(const std::vector<std::string>& command) const;

  /// Starts a server that was stopped or killed, on the port it had; with its data only where it is
  /// durable.
  void start();
  void stop();
  /// SIGKILL.
  void kill9() { process_.kill9(); }
  /// SIGSTOP: connections stay, new ones are made by the kernel, nothing answers.
  void freeze() const { process_.freeze(); }
  void thaw() const { process_.thaw(); }

 private:
  std::vector<std::string> command() const;
  std::vector<std::string> sentinel_command() const;
  void make_certificate() const;
  bool answers() const;
  [[noreturn]] void fail(const std::string& what) const;

  const server_params params_;
  reserved_port port_;
  postgres::run_directory directory_;
  child_server process_{directory_};
};

}  // namespace support::redis

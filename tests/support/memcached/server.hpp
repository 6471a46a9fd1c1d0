#pragma once

#include "support/postgres/run_directory.hpp"
#include "support/process/child_server.hpp"
#include "support/reserved_port.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace support::memcached {

/// A real memcached of the test's own, on a port of 127.0.0.1. It never outlives the test process.
///
/// Every wait ends within a minute; what fails throws std::runtime_error. One thread at a time.
class server {
 public:
  /// With more options for its command line. Returns once it answers.
  explicit server(std::vector<std::string> options = {});
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// memcached://127.0.0.1:PORT
  std::string url() const { return url_at(port()); }
  /// The same through another port, a proxy's for instance.
  static std::string url_at(std::uint16_t port);
  /// 127.0.0.1:PORT
  std::string place() const { return "127.0.0.1:" + std::to_string(port()); }
  std::uint16_t port() const noexcept { return port_.number(); }

  /// Sends lines of the text protocol on a connection of their own; all that it answers.
  std::string ask(std::string_view lines) const;
  /// Puts bytes under a key.
  void plant(const std::string& key, const std::string& bytes) const;

  /// Starts one that was killed, on the port it had, empty.
  void start();
  /// SIGKILL.
  void kill9() { process_.kill9(); }
  /// SIGSTOP: connections stay, new ones are made by the kernel, nothing answers.
  void freeze() const { process_.freeze(); }
  void thaw() const { process_.thaw(); }

 private:
  bool answers() const;

  const std::vector<std::string> options_;
  reserved_port port_;
  postgres::run_directory directory_;
  child_server process_{directory_};
};

}  // namespace support::memcached

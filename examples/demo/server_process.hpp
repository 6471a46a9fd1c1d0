#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace demo {

/// A storefront that runs as a child process, its output in a log file.
class server_process {
 public:
  /// Starts it. `arguments` must make it take a free port.
  server_process(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                 const std::filesystem::path& log);

  /// Ends it without ceremony if it still runs.
  ~server_process();

  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;

  /// Waits until it serves, and meanwhile shows what it prints. Throws std::runtime_error with the
  /// end of its log when it ends, or does not serve in time.
  void wait_until_listening(std::chrono::seconds timeout);

  /// Throws std::runtime_error with the end of its log when it has ended.
  void require_running();

  /// Asks it to stop, and waits for that. Throws std::runtime_error when it ends otherwise than
  /// with 0, or not in time.
  void stop(std::chrono::seconds timeout);

  std::uint16_t port() const noexcept { return port_; }

 private:
  bool has_ended();
  [[noreturn]] void fail(const std::string& what) const;

  std::filesystem::path log_;
  pid_t pid_ = -1;
  int exit_status_ = 0;
  std::uint16_t port_ = 0;
};

}  // namespace demo

#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace storefront_test {

/// A directory that goes away with its owner.
class temporary_directory {
 public:
  temporary_directory();
  ~temporary_directory();
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The real program, on a port of its own. The destructor kills it if it still runs.
class process {
 public:
  /// Starts it with `--port 0 --dir DIR` and `arguments`, and waits up to a minute until it
  /// listens. Throws std::runtime_error when it does not.
  process(const std::filesystem::path& dir, const std::vector<std::string>& arguments);
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  std::uint16_t port() const { return port_; }

  /// SIGTERM; the exit code, or -1 when it did not end well within `patience`.
  int terminate(std::chrono::seconds patience = std::chrono::seconds(20));

  /// SIGKILL: nothing in it gets to say goodbye.
  void kill();

 private:
  std::uint16_t read_port();

  pid_t pid_ = -1;
  int out_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace storefront_test

#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>

namespace support::postgres {

/// A private directory for one server, with a guard: a process that ends the server and removes
/// the directory when this object, or the whole test process, is gone, however it went.
class run_directory {
 public:
  run_directory();
  /// Ends what is still watched, removes the directory.
  ~run_directory();
  run_directory(const run_directory&) = delete;
  run_directory& operator=(const run_directory&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

  /// The process to end; 0 for none.
  void watch(pid_t process);

  /// False in a child that was forked off: the server is not its own to stop.
  bool is_mine() const noexcept;

 private:
  std::filesystem::path path_;
  pid_t owner_;
  pid_t guard_ = -1;
  int pipe_ = -1;
};

}  // namespace support::postgres

#pragma once

#include "support/postgres/run_directory.hpp"

#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace support {

/// The process of a server that is one program, which a fixture starts and ends as it likes. Its
/// output goes to "log" in the fixture's directory, which outlives this.
///
/// Every wait ends within a minute. One thread at a time.
class child_server {
 public:
  explicit child_server(postgres::run_directory& directory) : directory_(directory) {}
  child_server(const child_server&) = delete;
  child_server& operator=(const child_server&) = delete;

  /// Starts it unless it runs, and waits until `answers()`. False: it did not come to that, and has
  /// gone.
  bool start(const std::vector<std::string>& command, const std::function<bool()>& answers);
  /// SIGTERM. False: that was not enough, and it was killed.
  bool stop();
  /// SIGKILL.
  void kill9();
  /// SIGSTOP, until no thread of it runs any more: connections stay, new ones are made by the
  /// kernel, nothing answers.
  void freeze() const;
  void thaw() const;

  bool is_running() const noexcept { return pid_ > 0; }
  pid_t pid() const noexcept { return pid_; }

 private:
  void ended();

  postgres::run_directory& directory_;
  pid_t pid_ = -1;
};

}  // namespace support

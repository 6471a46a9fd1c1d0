#include "support/process/child_server.hpp"

#include "support/postgres/process.hpp"
#include "support/stopped_process.hpp"
#include "support/wait_until.hpp"

#include <chrono>
#include <csignal>

namespace support {

bool child_server::start(const std::vector<std::string>& command,
                         const std::function<bool()>& answers) {
  if (is_running()) return true;
  pid_ = postgres::spawn(
      {.command = command, .output = directory_ / "log", .input = -1, .as_server_account = false});
  directory_.watch(pid_);
  bool has_ended = false;
  wait_until([&] {
    has_ended = postgres::wait_for_exit(pid_, std::chrono::milliseconds(0)).has_value();
    return has_ended || answers();
  });
  if (has_ended) pid_ = -1;
  if (!has_ended && answers()) return true;
  kill9();
  return false;
}

bool child_server::stop() {
  if (!is_running()) return true;
  thaw();
  ::kill(pid_, SIGTERM);
  if (!postgres::wait_for_exit(pid_, long_patience)) {
    kill9();
    return false;
  }
  ended();
  return true;
}

void child_server::kill9() {
  if (!is_running()) return;
  ::kill(pid_, SIGKILL);
  postgres::wait_for_exit(pid_, long_patience);
  ended();
}

void child_server::ended() {
  directory_.watch(0);
  pid_ = -1;
}

void child_server::freeze() const {
  if (!is_running()) return;
  ::kill(pid_, SIGSTOP);
  wait_until_stopped(pid_);
}

void child_server::thaw() const {
  if (is_running()) ::kill(pid_, SIGCONT);
}

}  // namespace support

#pragma once

#include "support/wait_until.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace support::postgres {

/// Who runs the servers: PostgreSQL and PgBouncer refuse to be root.
struct account {
  std::string name;
  uid_t uid;
  gid_t gid;
};

/// `postgres`, else `nobody`, when this process is root; nothing when it is not: then everything
/// runs as oneself. Throws std::runtime_error when root finds neither.
const std::optional<account>& server_account();

/// Makes the file or directory the server account's, when there is one.
void give_to_server_account(const std::filesystem::path& path);

struct spawn_params {
  std::vector<std::string> command;            ///< argv[0] is looked up in PATH
  std::filesystem::path output = "/dev/null";  ///< standard output and error are appended here
  int input = -1;                              ///< standard input; -1 is /dev/null
  bool as_server_account = true;
};

/// Starts a program in a session of its own, without this process's files and PG* variables. Safe
/// in programs with threads. Throws std::runtime_error when it cannot.
pid_t spawn(const spawn_params& params);

/// The status waitpid() gave; nothing when the child still runs after `patience`.
std::optional<int> wait_for_exit(pid_t child, std::chrono::milliseconds patience);

/// Runs a program to its end. Throws std::runtime_error with its output when that is not exit
/// code 0 within a minute.
void run(std::vector<std::string> command, bool as_server_account = true);

/// The end of a file, at most `bytes` of it; "" when there is none.
std::string tail_of(const std::filesystem::path& file, std::size_t bytes = 3000);

struct child_state {
  pid_t pid;
  char state;  ///< as in /proc/PID/stat: R, S, T (stopped), Z (zombie)...
};

/// The processes whose parent is `parent`.
std::vector<child_state> children_of(pid_t parent);

/// Stops the process, then its children, and returns when none of them runs any more.
void stop_family(pid_t parent);
void continue_family(pid_t parent);
/// SIGKILL to all of them, as if at once: nobody lives to see another die. Returns when the
/// children are gone; the process itself is left to be reaped.
void kill_family(pid_t parent);

}  // namespace support::postgres

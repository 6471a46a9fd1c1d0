#include "support/postgres/process.hpp"

#include "support/temp_directory.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <pwd.h>
#include <spawn.h>
#include <stdexcept>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

namespace support::postgres {
namespace {

std::optional<account> find_server_account() {
  if (geteuid() != 0) return std::nullopt;
  for (const char* name : {"postgres", "nobody"}) {
    passwd found{};
    passwd* result = nullptr;
    std::vector<char> space(16384);
    if (getpwnam_r(name, &found, space.data(), space.size(), &result) == 0 && result != nullptr) {
      return account{name, found.pw_uid, found.pw_gid};
    }
  }
  throw std::runtime_error("root cannot run PostgreSQL, and there is no user postgres or nobody");
}

std::vector<std::string> clean_environment() {
  std::vector<std::string> variables{"LC_ALL=C"};
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view variable = *each;
    if (!variable.starts_with("PG") && !variable.starts_with("LC_ALL=")) {
      variables.emplace_back(variable);
    }
  }
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// posix_spawn's two objects.
struct spawn_settings {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;

  spawn_settings() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  ~spawn_settings() {
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
  }
  spawn_settings(const spawn_settings&) = delete;
  spawn_settings& operator=(const spawn_settings&) = delete;
};

char state_of(pid_t pid, pid_t& parent) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  // The name stands in parentheses and may hold anything.
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos || name_end + 4 >= line.size()) return 'X';
  parent = static_cast<pid_t>(std::strtol(line.c_str() + name_end + 4, nullptr, 10));
  return line[name_end + 2];
}

bool has_stopped(pid_t pid) {
  pid_t parent = 0;
  const char state = state_of(pid, parent);
  return state == 'T' || state == 'Z' || state == 'X';
}

bool has_ended(pid_t pid) {
  pid_t parent = 0;
  const char state = state_of(pid, parent);
  return state == 'Z' || state == 'X';
}

}  // namespace

const std::optional<account>& server_account() {
  static const auto found = find_server_account();
  return found;
}

void give_to_server_account(const std::filesystem::path& path) {
  const auto& owner = server_account();
  if (owner && chown(path.c_str(), owner->uid, owner->gid) != 0) {
    throw std::runtime_error("cannot give " + path.string() + " to " + owner->name);
  }
}

pid_t spawn(const spawn_params& params) {
  std::vector<std::string> command;
  if (const auto& who = server_account(); who && params.as_server_account) {
    command = {"setpriv", "--reuid=" + who->name, "--regid=" + std::to_string(who->gid),
               "--init-groups", "--"};
  }
  command.insert(command.end(), params.command.begin(), params.command.end());
  auto variables = clean_environment();
  auto argv = pointers(command);
  auto envp = pointers(variables);

  spawn_settings s;
  if (params.input >= 0) {
    posix_spawn_file_actions_adddup2(&s.files, params.input, STDIN_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&s.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  posix_spawn_file_actions_addopen(&s.files, STDOUT_FILENO, params.output.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&s.files, STDOUT_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&s.files, STDERR_FILENO + 1);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&s.attributes, &all);
  posix_spawnattr_setsigmask(&s.attributes, &none);
  posix_spawnattr_setflags(&s.attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  pid_t child = -1;
  const int failure =
      posix_spawnp(&child, argv[0], &s.files, &s.attributes, argv.data(), envp.data());
  if (failure != 0) {
    throw std::runtime_error("cannot start " + command.front() + ": " + std::strerror(failure));
  }
  return child;
}

std::optional<int> wait_for_exit(pid_t child, std::chrono::milliseconds patience) {
  int status = 0;
  const bool ended = wait_until(
      [&] {
        const auto got = waitpid(child, &status, WNOHANG);
        return got == child || (got < 0 && errno != EINTR);
      },
      patience);
  if (!ended) return std::nullopt;
  return status;
}

void run(std::vector<std::string> command, bool as_server_account) {
  const temp_directory room;
  const auto output = room.file("output");
  const auto child = spawn(
      {.command = command, .output = output, .input = -1, .as_server_account = as_server_account});
  const auto status = wait_for_exit(child, long_patience);
  if (!status) {
    kill_family(child);
    wait_for_exit(child, long_patience);
  }
  if (!status || !WIFEXITED(*status) || WEXITSTATUS(*status) != 0) {
    throw std::runtime_error(command.front() + (status ? " failed: " : " took too long: ") +
                             tail_of(output));
  }
}

std::string tail_of(const std::filesystem::path& file, std::size_t bytes) {
  std::ifstream in(file, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  return text.size() <= bytes ? text : text.substr(text.size() - bytes);
}

std::vector<child_state> children_of(pid_t parent) {
  std::vector<child_state> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto pid = static_cast<pid_t>(std::stol(name));
    pid_t its_parent = 0;
    const char state = state_of(pid, its_parent);
    if (its_parent == parent) found.push_back({pid, state});
  }
  return found;
}

void stop_family(pid_t parent) {
  // The parent first: then nobody is born any more.
  ::kill(parent, SIGSTOP);
  wait_until([&] { return has_stopped(parent); });
  const auto children = children_of(parent);
  for (const auto& child : children) ::kill(child.pid, SIGSTOP);
  for (const auto& child : children) wait_until([&] { return has_stopped(child.pid); });
}

void continue_family(pid_t parent) {
  for (const auto& child : children_of(parent)) ::kill(child.pid, SIGCONT);
  ::kill(parent, SIGCONT);
}

void kill_family(pid_t parent) {
  ::kill(parent, SIGSTOP);
  wait_until([&] { return has_stopped(parent); });
  const auto children = children_of(parent);
  for (const auto& child : children) ::kill(child.pid, SIGSTOP);
  for (const auto& child : children) ::kill(child.pid, SIGKILL);
  ::kill(parent, SIGKILL);
  // The next postmaster refuses to start while one of them still holds the shared memory.
  for (const auto& child : children) wait_until([&] { return has_ended(child.pid); });
}

}  // namespace support::postgres

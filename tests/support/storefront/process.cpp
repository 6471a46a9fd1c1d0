#include "support/storefront/process.hpp"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace storefront_test {

using clock = std::chrono::steady_clock;

temporary_directory::temporary_directory() {
  auto name = (std::filesystem::temp_directory_path() / "storefront-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

temporary_directory::~temporary_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

process::process(const std::filesystem::path& dir, const std::vector<std::string>& arguments) {
  std::vector<std::string> words{STOREFRONT_PROGRAM, "--port", "0", "--dir", dir.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  auto log = (dir / "stderr.log").string();

  int pipe_ends[2];
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
  pid_ = ::fork();
  if (pid_ == 0) {
    // Only async-signal-safe calls from here: the parent may have threads.
    ::dup2(pipe_ends[1], STDOUT_FILENO);
    int err = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (err >= 0) ::dup2(err, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(pipe_ends[1]);
  out_ = pipe_ends[0];
  port_ = read_port();
}

std::uint16_t process::read_port() {
  auto until = clock::now() + std::chrono::seconds(60);
  std::string line;
  while (!line.ends_with('\n') && clock::now() < until) {
    pollfd ready{out_, POLLIN, 0};
    if (::poll(&ready, 1, 100) <= 0) continue;
    char byte = 0;
    if (::read(out_, &byte, 1) <= 0) break;
    line += byte;
  }
  auto colon = line.rfind(':');
  if (!line.starts_with("listening on 127.0.0.1:") || !line.ends_with('\n')) {
    kill();
    throw std::runtime_error("storefront did not start: \"" + line + "\"");
  }
  return static_cast<std::uint16_t>(std::stoi(line.substr(colon + 1)));
}

process::~process() {
  kill();
  ::close(out_);
}

int process::terminate(std::chrono::seconds patience) {
  ::kill(pid_, SIGTERM);
  for (auto until = clock::now() + patience; clock::now() < until;) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return -1;
}

void process::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace storefront_test

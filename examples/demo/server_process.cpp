#include "server_process.hpp"

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <signal.h>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace demo {
namespace {

using clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds poll_interval{20};

std::string read_all(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// In the child, between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(char* const* argv, int log) {
  // Nobody shall have to look for servers that a killed demo has left behind.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execv(argv[0], argv);
  ::_exit(127);
}

}  // namespace

server_process::server_process(const std::filesystem::path& program,
                               const std::vector<std::string>& arguments,
                               const std::filesystem::path& log)
    : log_(log) {
  std::filesystem::create_directories(log.parent_path());
  int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0)
    throw std::system_error(errno, std::system_category(), "cannot write " + log.string());
  std::vector<std::string> words{program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) become(argv.data(), fd);
  int error = errno;
  ::close(fd);
  if (pid_ < 0) throw std::system_error(error, std::system_category(), "cannot start the server");
}

server_process::~server_process() {
  if (pid_ < 0 || has_ended()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool server_process::has_ended() {
  if (pid_ < 0) return true;
  if (::waitpid(pid_, &exit_status_, WNOHANG) != pid_) return false;
  pid_ = -1;
  return true;
}

void server_process::fail(const std::string& what) const {
  auto text = read_all(log_);
  constexpr std::size_t most = 2000;
  if (text.size() > most) text.erase(0, text.size() - most);
  throw std::runtime_error("the storefront " + what + "; the end of " + log_.string() + ":\n" +
                           text);
}

void server_process::wait_until_listening(std::chrono::seconds timeout) {
  constexpr std::string_view announcement = "listening on 127.0.0.1:";
  auto give_up = clock::now() + timeout;
  std::size_t shown = 0;
  for (;;) {
    bool ended = has_ended();
    auto text = read_all(log_);
    auto found = text.find(announcement);
    auto line_end = found == std::string::npos ? found : text.find('\n', found);
    std::cout << text.substr(shown, found == std::string::npos ? found : found - shown)
              << std::flush;
    shown = text.size();
    if (line_end != std::string::npos) {
      const char* digits = text.data() + found + announcement.size();
      std::from_chars(digits, text.data() + line_end, port_);
      return;
    }
    if (ended) fail("ended before it served");
    if (clock::now() > give_up) fail("did not serve in time");
    std::this_thread::sleep_for(poll_interval);
  }
}

void server_process::require_running() {
  if (has_ended()) fail("has ended by itself");
}

void server_process::stop(std::chrono::seconds timeout) {
  require_running();
  ::kill(pid_, SIGTERM);
  auto give_up = clock::now() + timeout;
  while (!has_ended()) {
    if (clock::now() > give_up) fail("did not stop in time");
    std::this_thread::sleep_for(poll_interval);
  }
  if (!WIFEXITED(exit_status_) || WEXITSTATUS(exit_status_) != 0) fail("did not end well");
}

}  // namespace demo

#include "support/postgres/run_directory.hpp"

#include "support/postgres/process.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>

namespace support::postgres {
namespace {

// Not PR_SET_PDEATHSIG: that ends the server with the thread that started it. The pipe's end is the
// end of the process. A quick shutdown first, so that PostgreSQL gives back its shared memory.
constexpr const char* guard_script = R"sh(
p=0
while read -r line; do p=$line; done
if [ "$p" -gt 0 ]; then
  family="$p $(cat "/proc/$p/task/$p/children")"
  kill -CONT $family
  kill -QUIT $p
  tries=0
  while kill -0 $p && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
  kill -KILL $family
fi
rm -rf -- "$1"
)sh";

}  // namespace

run_directory::run_directory() : owner_(getpid()) {
  auto pattern = (std::filesystem::temp_directory_path() / "scalekit-pg-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no directory for a server");
  path_ = pattern;
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe to a server's guard");
  pipe_ = ends[1];
  guard_ = spawn({.command = {"sh", "-c", guard_script, "guard", path_.string()},
                  .output = "/dev/null",
                  .input = ends[0],
                  .as_server_account = false});
  close(ends[0]);
  give_to_server_account(path_);
}

run_directory::~run_directory() {
  close(pipe_);
  if (is_mine()) wait_for_exit(guard_, long_patience);
}

void run_directory::watch(pid_t process) {
  const auto line = std::to_string(process) + "\n";
  if (write(pipe_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    if (process > 0) ::kill(process, SIGKILL);
    throw std::runtime_error("a server's guard is gone");
  }
}

bool run_directory::is_mine() const noexcept {
  return getpid() == owner_;
}

}  // namespace support::postgres

#include "scalekit/core/fork_guard.hpp"

#include "scalekit/core/error.hpp"

#include <atomic>
#include <mutex>
#include <pthread.h>
#include <string>

namespace scalekit {
namespace {

std::atomic<std::uint64_t> forks{0};
std::once_flag registered;

}  // namespace

fork_guard::fork_guard() {
  std::call_once(registered, [] {
    pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  });
  generation_ = forks.load(std::memory_order_relaxed);
}

bool fork_guard::is_forked() const noexcept {
  return forks.load(std::memory_order_relaxed) != generation_;
}

void fork_guard::check(std::string_view what) const {
  if (!is_forked()) return;
  throw error(errc::forked,
              std::string(what) + ": made before fork(); open a new one in the child process");
}

}  // namespace scalekit

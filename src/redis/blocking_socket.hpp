#pragma once

#include "redis/resolve.hpp"
#include "scalekit/core/clock.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace scalekit::redis::detail {

/// A socket on which the calling thread waits in the system call itself, with the system's own
/// timeouts: one call to send and one to receive, as few as can be.
///
/// Thread safety: one thread at a time; interrupt() from any thread, while the socket lives.
class blocking_socket {
 public:
  blocking_socket() = default;
  ~blocking_socket();
  blocking_socket(const blocking_socket&) = delete;
  blocking_socket& operator=(const blocking_socket&) = delete;

  // Each returns 0, or an errno; ETIMEDOUT once `until` has passed.

  /// Call once.
  int connect(const endpoint& to, time_point until);
  int send(std::string_view bytes, time_point until);
  /// `size` is how much came; 0: the other end has closed.
  int receive(char* to, std::size_t room, time_point until, std::size_t& size);

  /// Nothing has come, and the other end is there as far as is known.
  bool is_quiet() const noexcept;

  /// Whoever waits in it, or will, is told that the connection is at its end.
  void interrupt() noexcept;

 private:
  /// Sees to it that the next system call waits until then. False: that has passed.
  bool set_patience(int option, std::chrono::nanoseconds& in_force, time_point until) noexcept;

  std::atomic<int> socket_{-1};
  std::atomic<bool> interrupted_{false};
  std::chrono::nanoseconds to_send_{0};
  std::chrono::nanoseconds to_receive_{0};
};

}  // namespace scalekit::redis::detail

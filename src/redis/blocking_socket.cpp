#include "redis/blocking_socket.hpp"

#include "redis/wire.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace scalekit::redis::detail {

using std::chrono::steady_clock;

namespace {

/// How much later than asked for a wait may end, so that its timeout need not be set each time.
constexpr std::chrono::milliseconds tolerance{1};

}  // namespace

blocking_socket::~blocking_socket() {
  if (const int s = socket_.load(); s >= 0) ::close(s);
}

bool blocking_socket::set_patience(int option, std::chrono::nanoseconds& in_force,
                                   time_point until) noexcept {
  const auto left = until - steady_clock::now();
  if (left <= left.zero()) return false;
  if (in_force <= left + tolerance && in_force >= left / 2 && in_force > in_force.zero()) {
    return true;
  }
  // Zero would be for ever.
  const auto us =
      std::max(std::chrono::ceil<std::chrono::microseconds>(left), std::chrono::microseconds{1});
  timeval value{};
  value.tv_sec = static_cast<time_t>(us.count() / 1'000'000);
  value.tv_usec = static_cast<suseconds_t>(us.count() % 1'000'000);
  ::setsockopt(socket_.load(std::memory_order_relaxed), SOL_SOCKET, option, &value, sizeof value);
  in_force = us;
  return true;
}

int blocking_socket::connect(const endpoint& to, time_point until) {
  const int s = ::socket(to.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (s < 0) return errno;
  socket_.store(s);
  // An interrupt() that has seen no socket is seen here.
  if (interrupted_.load()) return ECANCELED;
  if (!set_patience(SO_SNDTIMEO, to_send_, until)) return ETIMEDOUT;
  while (::connect(s, to.data(), static_cast<socklen_t>(to.size())) != 0) {
    if (errno == EINPROGRESS || errno == EALREADY || errno == EAGAIN) return ETIMEDOUT;
    if (errno == EISCONN) break;
    if (errno != EINTR) return errno;
    if (!set_patience(SO_SNDTIMEO, to_send_, until)) return ETIMEDOUT;
  }
  configure_socket(s);
  return 0;
}

int blocking_socket::send(std::string_view bytes, time_point until) {
  const int s = socket_.load(std::memory_order_relaxed);
  while (!bytes.empty()) {
    if (!set_patience(SO_SNDTIMEO, to_send_, until)) return ETIMEDOUT;
    const auto n = ::send(s, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
      return errno;
    }
  }
  return 0;
}

int blocking_socket::receive(char* to, std::size_t room, time_point until, std::size_t& size) {
  const int s = socket_.load(std::memory_order_relaxed);
  for (;;) {
    if (!set_patience(SO_RCVTIMEO, to_receive_, until)) return ETIMEDOUT;
    const auto n = ::recv(s, to, room, 0);
    if (n >= 0) {
      size = static_cast<std::size_t>(n);
      return 0;
    }
    if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) return errno;
  }
}

bool blocking_socket::is_quiet() const noexcept {
  return detail::is_quiet(socket_.load(std::memory_order_relaxed));
}

void blocking_socket::interrupt() noexcept {
  interrupted_.store(true);
  if (const int s = socket_.load(); s >= 0) ::shutdown(s, SHUT_RDWR);
}

}  // namespace scalekit::redis::detail

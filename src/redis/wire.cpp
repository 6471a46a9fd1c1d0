#include "redis/wire.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <utility>

namespace scalekit::redis::detail {

namespace asio = boost::asio;

namespace {

/// An outbox that was larger is given back.
constexpr std::size_t outbox_kept = 256 * 1024;

}  // namespace

void configure_socket(int socket) noexcept {
  // On a unix socket they fail, and are not needed.
  const auto set = [socket](int level, int name, int value) {
    static_cast<void>(::setsockopt(socket, level, name, &value, sizeof value));
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

bool is_quiet(int socket) noexcept {
  char byte = 0;
  return ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

void wire::configure(boost::system::error_code& ec) {
  configure_socket(socket.native_handle());
  socket.non_blocking(true, ec);
}

bool wire::flush(boost::system::error_code& ec, std::size_t& written) {
  if (tls_ && !out_.empty()) {
    tls_->put(out_);
    out_.clear();
  }
  auto& bytes = tls_ ? tls_->outbox() : out_;
  while (sent_ < bytes.size()) {
    const auto n = socket.write_some(asio::buffer(bytes.data() + sent_, bytes.size() - sent_), ec);
    sent_ += n;
    written += n;
    if (ec == asio::error::would_block || ec == asio::error::try_again) {
      ec.clear();
      // Otherwise it would grow for as long as it never is empty.
      if (sent_ > outbox_kept) bytes.erase(0, std::exchange(sent_, 0));
      return false;
    }
    if (ec) return true;
  }
  if (bytes.capacity() > outbox_kept) bytes = {};
  bytes.clear();
  sent_ = 0;
  return true;
}

bool wire::take(std::size_t size, std::string& why) {
  const std::string_view came(in.data(), size);
  if (!tls_) {
    reader.give(came);
    return true;
  }
  plain_.clear();
  const bool goes_on = tls_->take(came, plain_);
  reader.give(plain_);
  // What came before the end counts; the next read finds the end again.
  if (goes_on || !plain_.empty()) return true;
  why = tls_->why();
  return false;
}

bool wire::is_quiet() {
  return detail::is_quiet(socket.native_handle());
}

}  // namespace scalekit::redis::detail

#pragma once

#include "redis/reply_reader.hpp"
#include "redis/resolve.hpp"
#include "redis/tls_session.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace scalekit::redis::detail {

/// One socket in an event loop, and the bytes on their way to and from it. Operations that have
/// been started keep it alive, so that its buffer outlives them.
///
/// Thread safety: one thread at a time.
class wire {
 public:
  /// By TLS, with a server at `host`, where `tls` is not null.
  wire(const boost::asio::any_io_executor& loop, std::size_t max_reply, const tls_context* tls,
       const std::string& host)
      : socket(loop),
        reader(max_reply),
        tls_(tls == nullptr ? nullptr : std::make_unique<tls_session>(*tls, host)) {}

  /// After connecting.
  void configure(boost::system::error_code& ec);

  /// What is to be sent; flush() sends it.
  std::string& outbox() noexcept { return out_; }
  std::size_t unsent() const noexcept {
    return out_.size() + (tls_ ? tls_->outbox().size() : 0) - sent_;
  }

  /// Writes what the socket takes. False: it takes no more now. Sets `ec` where it broke.
  bool flush(boost::system::error_code& ec, std::size_t& written);

  /// Gives the reader the first `size` bytes of `in`. False: `why` says why nothing more will come.
  /// There may be something to flush() after.
  bool take(std::size_t size, std::string& why);

  /// Nothing has come that nobody asked for, an end least of all; does not wait.
  bool is_quiet();

  boost::asio::generic::stream_protocol::socket socket;
  reply_reader reader;
  std::array<char, std::size_t{64} << 10> in;
  bool is_reading = false;
  bool is_writing = false;

 private:
  const std::unique_ptr<tls_session> tls_;
  std::string plain_;
  std::string out_;
  /// Of `out_`, or of what TLS has made of it.
  std::size_t sent_ = 0;
};

using wire_ptr = std::shared_ptr<wire>;

/// What a connection to a server is told: not to wait for more to send, and to find out when the
/// other end is gone.
void configure_socket(int socket) noexcept;

/// Whether nothing has come, and the other end is there as far as the socket knows; does not wait.
bool is_quiet(int socket) noexcept;

}  // namespace scalekit::redis::detail

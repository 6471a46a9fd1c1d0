#pragma once

#include "db/postgres/connection.hpp"
#include "scalekit/core/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/strand.hpp>

#include <fcntl.h>
#include <memory>
#include <utility>

namespace scalekit::db::postgres {

using loop_strand = boost::asio::strand<boost::asio::any_io_executor>;

/// A link's socket in an event loop, as a descriptor of its own: libpq closes the other as soon as
/// it finds the connection broken, and the number may be somebody else's by then. While nobody
/// waits through it, the socket may be polled by a thread as well, though every answer then wakes
/// the loop for nothing: drop the port first.
///
/// Thread safety: one thread at a time.
class reactor_port {
 public:
  reactor_port(const link& wire, const boost::asio::any_io_executor& loop)
      : loop_(loop), descriptor_(loop, duplicate(wire.socket())) {}
  reactor_port(const reactor_port&) = delete;
  reactor_port& operator=(const reactor_port&) = delete;

  /// Sees to it that `c` has a port in `loop`.
  static void attach(connection& c, const boost::asio::any_io_executor& loop) {
    if (!c.port || c.port->loop_ != loop) c.port.reset();
    if (!c.port) c.port = std::make_unique<reactor_port>(*c.wire, loop);
  }

  /// Calls `then(error_code)` on `strand` when the socket can be read.
  template <class Handler>
  void wait_readable(const loop_strand& strand, Handler then) {
    descriptor_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                           boost::asio::bind_executor(strand, std::move(then)));
  }
  template <class Handler>
  void wait_writable(const loop_strand& strand, Handler then) {
    descriptor_.async_wait(boost::asio::posix::descriptor_base::wait_write,
                           boost::asio::bind_executor(strand, std::move(then)));
  }
  /// Who waits hears operation_aborted.
  void cancel() noexcept {
    boost::system::error_code ignored;
    descriptor_.cancel(ignored);
  }

 private:
  static int duplicate(int socket) {
    const int copy = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) throw error(errc::io_error, "no file descriptor left to wait with");
    return copy;
  }

  const boost::asio::any_io_executor loop_;
  boost::asio::posix::stream_descriptor descriptor_;
};

}  // namespace scalekit::db::postgres

#pragma once

#include "db/postgres/link.hpp"
#include "scalekit/core/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/strand.hpp>

namespace scalekit::db::postgres {

/// A link's socket in an event loop. While nobody waits through it, the socket may be polled by a
/// thread as well, though every answer then wakes the loop for nothing: drop the port first.
///
/// Thread safety: one thread at a time, or on its strand.
class reactor_port {
 public:
  using strand_type = boost::asio::strand<boost::asio::any_io_executor>;

  reactor_port(const link& wire, boost::asio::any_io_executor loop)
      : strand_(boost::asio::make_strand(std::move(loop))),
        descriptor_(strand_, wire.socket()) {}
  ~reactor_port() {
    // The socket is libpq's.
    descriptor_.release();
  }
  reactor_port(const reactor_port&) = delete;
  reactor_port& operator=(const reactor_port&) = delete;

  const strand_type& strand() const noexcept { return strand_; }

  /// Calls `then(error_code)` on the strand when the socket can be read.
  template <class Handler>
  void wait_readable(Handler then) {
    descriptor_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                           boost::asio::bind_executor(strand_, std::move(then)));
  }
  template <class Handler>
  void wait_writable(Handler then) {
    descriptor_.async_wait(boost::asio::posix::descriptor_base::wait_write,
                           boost::asio::bind_executor(strand_, std::move(then)));
  }
  /// Who waits hears operation_aborted.
  void cancel() noexcept {
    boost::system::error_code ignored;
    descriptor_.cancel(ignored);
  }

 private:
  strand_type strand_;
  boost::asio::posix::stream_descriptor descriptor_;
};

}  // namespace scalekit::db::postgres

#pragma once

#include "scalekit/core/execution.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/core/fork_guard.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <mutex>
#include <thread>

namespace scalekit::detail {

/// Where a client's sockets and timers live: the host's I/O executor; where it gave none, an event
/// loop of the client's own, on one thread that starts with the first need.
///
/// Thread safety: both executors may be asked for from any thread.
class SCALEKIT_EXPORT io_home {
 public:
  /// `thread_name` is a literal of at most 15 characters.
  io_home(const execution& exec, const char* thread_name);
  ~io_home();
  io_home(const io_home&) = delete;
  io_home& operator=(const io_home&) = delete;

  /// Throws std::system_error where the thread cannot be started.
  boost::asio::any_io_executor executor();

  /// Of the client's own loop, which no handler of the host's holds up.
  boost::asio::any_io_executor own_executor();

 private:
  struct loop {
    boost::asio::io_context io{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keep{
        io.get_executor()};
  };

  const boost::asio::any_io_executor host_;
  const char* const thread_name_;
  const fork_guard guard_;
  std::mutex mutex_;
  std::shared_ptr<loop> own_;
  std::thread thread_;
};

}  // namespace scalekit::detail

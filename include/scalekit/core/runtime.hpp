#pragma once

#include "scalekit/core/execution.hpp"
#include "scalekit/core/export.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <memory>

namespace scalekit {

/// Settings of a runtime.
struct runtime_params {
  /// Event loops, each one thread with an io_context of its own. Default 1. Range 1 to 256.
  std::size_t threads = 1;

  /// The pool for what blocks, shared by all clients of the runtime.
  work_pool_params work = {};
};

/// Event loops for a service that has none: N threads, one io_context each, and a work pool.
///
/// Threads start in the constructor and are marked as I/O threads. The destructor stops the
/// loops without waiting for outstanding operations, runs what the work pool has queued, and
/// joins; close the clients first. It must not run on one of the runtime's threads. In a forked
/// child it leaves everything alone. A handler that throws ends the process, as a thread's function
/// does.
///
/// Thread safety: all members may be called from any thread.
class SCALEKIT_EXPORT runtime {
 public:
  /// Throws std::invalid_argument, naming the field, for settings out of range, and
  /// std::system_error when a thread cannot be started.
  explicit runtime(runtime_params params = {});
  ~runtime();

  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  /// The loops in turn: successive calls give successive loops.
  boost::asio::io_context& next_loop();

  /// What a client wants: the next loop for I/O, and the shared work pool.
  scalekit::execution execution();

  std::size_t threads() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace scalekit

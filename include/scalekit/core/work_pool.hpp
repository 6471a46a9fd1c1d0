#pragma once

#include "scalekit/core/export.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace scalekit {

/// Settings of a work_pool.
struct work_pool_params {
  /// Threads for calls that block (SQLite, files, name resolution). Default 4: such calls mostly
  /// wait for one disk. Range 1 to 1024.
  std::size_t threads = 4;

  /// Tasks that may wait for a thread; one more is refused with errc::shed. Default 4096.
  /// Range 1 to 1'000'000.
  std::size_t max_queued = 4096;

  /// Name of the threads as tools show it. Default "sk-work"; at most 15 bytes.
  std::string name = "sk-work";
};

/// A bounded pool of threads for what blocks.
///
/// Threads start with the first post(), not before. The destructor closes; on one of the pool's own
/// threads it lets them finish by themselves. In a forked child, where the threads do not exist, it
/// leaves everything alone.
///
/// Thread safety: all members may be called from any thread.
class SCALEKIT_EXPORT work_pool {
 public:
  /// Throws std::invalid_argument, naming the field, for settings out of range.
  explicit work_pool(work_pool_params params = {});
  ~work_pool();

  work_pool(const work_pool&) = delete;
  work_pool& operator=(const work_pool&) = delete;

  /// Runs `task` on a thread of the pool. Throws errc::shed when `max_queued` tasks wait,
  /// errc::closed once close() or the destructor has begun, errc::forked in a forked child, and
  /// std::system_error when no thread can be started; the task has then not run. A task that
  /// throws ends the process, as a thread's function does.
  template <class Task>
  void post(Task&& task) {
    enqueue(boost::asio::any_completion_handler<void()>(std::forward<Task>(task)));
  }

  /// Runs handlers on the pool's threads. They are not counted against the bound, and do not wait
  /// behind queued tasks: only until a thread has ended the task that it is running.
  boost::asio::any_io_executor executor();

  /// Runs what is queued, and joins. For a host whose loops end while others, handlers that will
  /// never run perhaps, still hold this pool: no task completes on a loop after it. A second call
  /// does nothing. Must not be called on the pool's own threads (errc::not_allowed).
  void close();

  /// Tasks posted and not yet begun.
  std::size_t queued() const noexcept;

  std::size_t threads() const noexcept { return params_.threads; }

 private:
  void enqueue(boost::asio::any_completion_handler<void()> task);

  struct state;
  work_pool_params params_;
  std::shared_ptr<state> state_;
};

}  // namespace scalekit

#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/core/work_pool.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include <memory>
#include <string_view>
#include <utility>

namespace scalekit {

/// The two executors of a client: one for I/O, one for what blocks.
///
/// A copy shares the same executors; give one `execution` to all clients of a service and they
/// share one work pool. Default-constructed, it has no I/O executor, and a bounded work pool of
/// its own starts with the first blocking task that an async_ call needs.
///
/// Thread safety: all members may be called from any thread.
/// Object lifetimes: executors that the host gives must outlive every client made with them, and
/// the asynchronous transactions that were begun with it. Other asynchronous calls under way may
/// go with the executor. A loop that was stopped before it ran out of work must also outlive the
/// tasks of a shared work pool: close() that first.
class SCALEKIT_EXPORT execution {
 public:
  execution();

  /// The host's I/O executor, and our own lazily started work pool.
  explicit execution(boost::asio::any_io_executor io, work_pool_params pool = {});

  /// The host's I/O executor, and a work pool shared with others. Precondition: `pool` not null.
  execution(boost::asio::any_io_executor io, std::shared_ptr<work_pool> pool);

  /// Both executors are the host's; bounding the work executor is then the host's business.
  execution(boost::asio::any_io_executor io, boost::asio::any_io_executor work);

  /// Where handlers without an associated executor complete: the I/O executor, else the work
  /// pool. There, news waits for a thread of the pool to end the task that it is running, but not
  /// behind the tasks that are queued: a refusal (errc::shed) is heard of before them.
  boost::asio::any_io_executor completion_executor() const;

  /// The host's I/O executor; an empty one where it gave none.
  boost::asio::any_io_executor io_executor() const;

  /// Runs `task`, which may block and must not throw, on the work executor. Throws errc::shed
  /// when our own pool is full.
  template <class Task>
  void post_work(Task&& task) const {
    if (auto* pool = own_pool()) {
      pool->post(std::forward<Task>(task));
    } else {
      boost::asio::post(host_work(), std::forward<Task>(task));
    }
  }

 private:
  work_pool* own_pool() const;
  boost::asio::any_io_executor host_work() const;

  struct state;
  std::shared_ptr<state> state_;
};

/// Marks the calling thread as one that runs an event loop, for the lifetime of the mark.
///
/// A blocking call of scalekit made on such a thread throws errc::not_allowed: it would stop
/// every other operation of the loop. scalekit::runtime marks its own threads.
class SCALEKIT_EXPORT io_thread_mark {
 public:
  io_thread_mark() noexcept;
  ~io_thread_mark();
  io_thread_mark(const io_thread_mark&) = delete;
  io_thread_mark& operator=(const io_thread_mark&) = delete;

  /// Throws errc::not_allowed, naming `operation`, on a marked thread. Blocking calls begin
  /// with it.
  static void check_blocking_allowed(std::string_view operation);

 private:
  bool outer_;
};

}  // namespace scalekit

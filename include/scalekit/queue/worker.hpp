#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/queue/attempt.hpp"
#include "scalekit/queue/kind_params.hpp"
#include "scalekit/queue/outcome.hpp"
#include "scalekit/queue/queue.hpp"
#include "scalekit/queue/stop_report.hpp"
#include "scalekit/queue/worker_params.hpp"
#include "scalekit/queue/worker_stats.hpp"

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

namespace scalekit::queue {

namespace detail {
class worker_shell;
}

/// What runs a job. See outcome for what returning and throwing mean.
using handler = std::function<outcome(attempt&)>;

/// Runs the jobs of a queue on threads of its own.
///
///     queue::worker w(q, {.concurrency = 8});
///     w.on("send_email", [](queue::attempt& a) { send(a.payload(), a.id()); });
///     w.start();
///
/// Beside the handlers' threads it has one that claims and finishes jobs, in batches, and one that
/// says that the worker is alive, watches the other workers, and supervises deadlines. Handlers
/// cannot delay either.
///
/// A worker that cannot reach the database keeps what it has to record, stops claiming, and asks
/// its handlers to stop before others may take their jobs over; it goes on by itself when the
/// database is back.
///
/// Thread safety: on() must not be called after start(); all else may be called from any thread,
/// stop() not from a handler.
/// Object lifetimes: keeps its own handle of the queue. The destructor calls
/// stop(worker_params::stop_timeout).
class SCALEKIT_EXPORT worker {
 public:
  /// Does no I/O and starts nothing. Throws std::invalid_argument, naming the field, for settings
  /// out of range.
  explicit worker(queue q, worker_params params = {});
  ~worker();

  worker(worker&&) noexcept;
  worker& operator=(worker&&) = delete;

  /// Says what runs jobs of `kind`. The handler is called from several threads at once.
  /// Jobs of kinds that no handler is named for are never claimed: they are left to workers that
  /// know them, such as those of the newer release in a rolling deployment.
  /// Throws errc::not_allowed after start(), and std::invalid_argument for a kind that has a
  /// handler already, for the 257th kind, or for settings out of range.
  template <class F>
    requires std::invocable<F&, attempt&>
  worker& on(std::string kind, F f, kind_params params = {}) {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, attempt&>>) {
      add(
          std::move(kind),
          [f = std::move(f)](attempt& a) mutable {
            f(a);
            return outcome::done();
          },
          params);
    } else {
      add(std::move(kind), handler(std::move(f)), params);
    }
    return *this;
  }

  /// Registers the worker in the database and starts the threads. Throws the database's error when
  /// it cannot be registered; errc::not_allowed when called twice.
  void start();

  /// start(), then blocks until `until` is stopped or another thread calls stop(), and then stops
  /// with worker_params::stop_timeout.
  void run(std::stop_token until = {});

  /// Graceful: claims no more, gives back what was not started, lets handlers run on for
  /// `patience`, then asks them to stop and waits for at most another second, and records how
  /// every attempt ended. Nothing is lost whatever happens. The second and later calls wait for
  /// the first and return its report.
  stop_report stop(std::chrono::milliseconds patience);

  worker_stats stats() const;

 private:
  void add(std::string kind, handler h, kind_params params);

  std::shared_ptr<detail::worker_shell> shell_;
};

}  // namespace scalekit::queue

#pragma once

#include "scalekit/core/async.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/queue/dead_letter.hpp"
#include "scalekit/queue/enqueue_options.hpp"
#include "scalekit/queue/job_id.hpp"
#include "scalekit/queue/job_request.hpp"
#include "scalekit/queue/job_status.hpp"
#include "scalekit/queue/queue_params.hpp"
#include "scalekit/queue/queue_stats.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scalekit::db {
class client;
class transaction;
}  // namespace scalekit::db

namespace scalekit::queue {

namespace detail {
struct queue_state;
}

/// Durable jobs in the tables of a database.
///
/// A job is a kind ("send_email") and a payload of any bytes. It is run by a worker, here or in
/// any other process that uses the same database, at least once, and is gone from the tables when
/// it is done.
///
///     queue::queue q(db);
///     q.migrate();
///     q.enqueue("send_email", payload, {.priority = queue::high, .run_in = 5min});
///
/// A copy is another handle of the same queue. Workers hear at once of jobs enqueued through
/// handles of the queue they were made with; others find them by polling.
///
/// Errors of every call: those of the database (errc::acquire_timeout, errc::disk_full, ...), each
/// within queue_params::call_timeout. Blocking calls must not be made on an I/O thread.
/// Cancellation: the async_ forms watch their token's cancellation slot wherever they wait for the
/// database, and complete with errc::cancelled; nothing was stored then.
/// Thread safety: all members may be called from any thread.
/// Object lifetimes: keeps a handle of the client.
class SCALEKIT_EXPORT queue {
 public:
  /// Does no I/O. Throws std::invalid_argument, naming the field, for settings out of range.
  explicit queue(const db::client& db, queue_params params = {});

  /// Creates the tables where they are missing. Safe to call at every start, from several
  /// processes at once. Throws errc::not_supported when the tables are of a newer scalekit.
  void migrate();

  /// Stores a job, durably when it returns. Errors: invalid_argument for a kind, a queue name or
  /// an option that is out of range, too_large for the payload; and outcome_unknown() ones.
  job_id enqueue(std::string_view kind, std::string_view payload, enqueue_options options = {});

  /// Stores a job inside the caller's transaction on the same database: it exists if and only if
  /// that commits. The job waits for nothing else: it may run before the committing call returns.
  job_id enqueue(db::transaction& tx, std::string_view kind, std::string_view payload,
                 enqueue_options options = {});

  /// Stores all of them or none, in one transaction; ids are in the order of the requests.
  std::vector<job_id> enqueue_many(std::span<const job_request> requests);
  std::vector<job_id> enqueue_many(db::transaction& tx, std::span<const job_request> requests);

  /// enqueue() for event loops: completes with (std::exception_ptr, job_id).
  template <class Token>
  auto async_enqueue(std::string kind, std::string payload, enqueue_options options,
                     Token&& token) {
    return async_blocking<job_id>(
        exec(),
        [self = *this, kind = std::move(kind), payload = std::move(payload),
         options = std::move(options)](std::stop_token stop) mutable {
          return self.enqueue(kind, payload, options, std::move(stop));
        },
        std::forward<Token>(token));
  }

  /// enqueue_many() for event loops: completes with (std::exception_ptr, std::vector<job_id>).
  template <class Token>
  auto async_enqueue_many(std::vector<job_request> requests, Token&& token) {
    return async_blocking<std::vector<job_id>>(
        exec(),
        [self = *this, requests = std::move(requests)](std::stop_token stop) mutable {
          return self.enqueue_many(requests, std::move(stop));
        },
        std::forward<Token>(token));
  }

  /// Where a job is; nothing for an id that was never given.
  std::optional<job_status> status(job_id id);

  /// status() for event loops: completes with (std::exception_ptr, std::optional<job_status>).
  template <class Token>
  auto async_status(job_id id, Token&& token) {
    return async_blocking<std::optional<job_status>>(
        exec(),
        [self = *this, id](std::stop_token stop) mutable {
          return self.status(id, std::move(stop));
        },
        std::forward<Token>(token));
  }

  /// How much waits, runs and has died. Counts rows: meant for a page or a scrape, not a hot path.
  queue_stats stats();

  /// stats() for event loops: completes with (std::exception_ptr, queue_stats).
  template <class Token>
  auto async_stats(Token&& token) {
    return async_blocking<queue_stats>(
        exec(),
        [self = *this](std::stop_token stop) mutable { return self.stats(std::move(stop)); },
        std::forward<Token>(token));
  }

  /// Up to `limit` (1 to 10'000) dead letters with ids above `after`, by id: page by giving the
  /// last id of the page before.
  std::vector<dead_letter> dead_letters(std::size_t limit = 100, job_id after = 0);

  /// dead_letters() for event loops: completes with (std::exception_ptr, std::vector<dead_letter>).
  template <class Token>
  auto async_dead_letters(std::size_t limit, job_id after, Token&& token) {
    return async_blocking<std::vector<dead_letter>>(
        exec(),
        [self = *this, limit, after](std::stop_token stop) mutable {
          return self.dead_letters(limit, after, std::move(stop));
        },
        std::forward<Token>(token));
  }

  /// Makes a dead letter a ready job again, with all its attempts. False when there is none of
  /// that id.
  bool redrive(job_id id);

  /// redrive() for event loops: completes with (std::exception_ptr, bool).
  template <class Token>
  auto async_redrive(job_id id, Token&& token) {
    return async_blocking<bool>(
        exec(),
        [self = *this, id](std::stop_token stop) mutable {
          return self.redrive(id, std::move(stop));
        },
        std::forward<Token>(token));
  }

  /// Deletes a dead letter for good. False when there is none of that id.
  bool delete_dead_letter(job_id id);

  /// delete_dead_letter() for event loops: completes with (std::exception_ptr, bool).
  template <class Token>
  auto async_delete_dead_letter(job_id id, Token&& token) {
    return async_blocking<bool>(
        exec(),
        [self = *this, id](std::stop_token stop) mutable {
          return self.delete_dead_letter(id, std::move(stop));
        },
        std::forward<Token>(token));
  }

  /// Makes the workers of this queue look for jobs now. For jobs that came in by a transaction of
  /// the caller; without it they are found by the next poll.
  void wake() noexcept;

 private:
  friend class worker;

  // What both forms of a call run.
  job_id enqueue(std::string_view kind, std::string_view payload, const enqueue_options& options,
                 std::stop_token stop);
  std::vector<job_id> enqueue_many(std::span<const job_request> requests, std::stop_token stop);
  std::optional<job_status> status(job_id id, std::stop_token stop);
  queue_stats stats(std::stop_token stop);
  std::vector<dead_letter> dead_letters(std::size_t limit, job_id after, std::stop_token stop);
  bool redrive(job_id id, std::stop_token stop);
  bool delete_dead_letter(job_id id, std::stop_token stop);

  const execution& exec() const noexcept;

  std::shared_ptr<detail::queue_state> state_;
};

}  // namespace scalekit::queue

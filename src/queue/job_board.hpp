#pragma once

#include "queue/outlook.hpp"
#include "queue/pump_step.hpp"
#include "queue/running_attempt.hpp"
#include "queue/tally.hpp"
#include "queue/wake_hub.hpp"
#include "scalekit/core/random.hpp"
#include "scalekit/queue/stop_report.hpp"
#include "scalekit/queue/worker_params.hpp"

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace scalekit::queue::detail {

/// What the pump is to do, and with what.
struct pump_order {
  pump_step::action what = pump_step::action::wait;
  std::size_t claim = 0;
  std::vector<ended> endings = {};
  worker_identity who = {};
  /// No more orders follow.
  bool quit = false;
};

/// Where the threads of a worker meet: claimed jobs wait here for handlers, and ended attempts for
/// the database. Holds no thread and does no I/O.
///
/// Shared with the handlers' threads, so that one that does not end does no harm.
/// Thread safety: all members may be called from any thread.
class job_board final : public sleeper {
 public:
  job_board(worker_params params, std::shared_ptr<engine> store, const clock& wall);

  /// Before the threads start.
  std::map<std::string, kind_entry, std::less<>>& kinds() noexcept { return kinds_; }

  // --- handlers' threads ---

  /// Waits for a job; null when the thread is to end.
  std::shared_ptr<running_attempt> take();
  void finish(running_attempt& run, const disposition& how);
  /// The facts of an attempt that ends now.
  attempt_facts facts_of(const running_attempt& run);

  // --- the pump's thread ---

  pump_order next_order();
  /// A claim came back. `wanted`: how many had been asked for.
  void deliver(std::vector<claimed_job> jobs, std::size_t wanted, const worker_identity& who);
  /// A look came back: the next job is due in `due_in`, or unknown.
  void looked(bool found, std::optional<std::chrono::nanoseconds> due_in);
  /// A turn came back: `settled[i]` tells whether endings[i] still held its lease.
  void recorded(const std::vector<ended>& endings, const std::vector<bool>& settled);
  /// A turn failed: try the endings again, and all else not before `pause` is over.
  void put_back(std::vector<ended> endings, std::chrono::nanoseconds pause);
  /// An ending that could not be recorded even alone: try it again after `pause`.
  void hold_back(ended ending, std::chrono::nanoseconds pause);

  // --- the heart's thread ---

  void set_identity(const worker_identity& who);
  worker_identity identity() const;
  void allow_claims(bool allowed);
  /// Asks handlers to stop whose time is up, and counts their attempts as errors; gives back what
  /// waited too long for a thread.
  void supervise();
  /// Others may take the jobs over: handlers are to stop.
  void doubt();
  /// Others have taken the jobs over.
  void lose_all();
  void add_rescued(std::size_t jobs);
  bool was_evicted() const;
  void set_evicted();

  // --- stopping, in this order ---

  void close_intake();
  /// True when no handler runs; waits at most `patience`.
  bool wait_for_handlers(std::chrono::nanoseconds patience);
  void interrupt_handlers();
  /// Decides for the handlers that still run, and ends the handlers' threads.
  void abandon_handlers();
  /// Lets the pump go when all is recorded, or at `give_up_at`.
  void shut(time_point give_up_at);
  stop_report report() const;

  // --- anywhere ---

  void wake() noexcept override;
  void expect() noexcept override;
  worker_stats stats() const;
  random_generator& random() noexcept { return random_; }

 private:
  struct waiting {
    claimed_job job;
    time_point since;
  };
  struct held_back {
    ended ending;
    time_point until;
  };

  workload load() const;
  pump_view view(time_point now) const;
  void end_with(ended e, time_point now);
  void return_buffer(time_point now);
  void start_suspect_if_alone(time_point now);
  void tell_pump();
  /// To be requested without the mutex: handlers' callbacks run in it.
  std::vector<std::stop_source> stop_running(stop_cause why);
  std::vector<std::stop_source> decide_overdue(time_point now);
  /// No attempt runs whose end is still open; one that overran was decided for.
  bool all_decided() const;
  void end_solitude();

  const worker_params params_;
  const std::shared_ptr<engine> store_;
  const clock& wall_;
  random_generator random_;
  std::map<std::string, kind_entry, std::less<>> kinds_;

  mutable std::mutex mutex_;
  std::condition_variable handlers_cv_;
  std::condition_variable pump_cv_;
  std::condition_variable quiet_cv_;

  std::deque<waiting> buffer_;
  std::set<running_attempt*> running_;
  std::vector<ended> unsettled_;
  std::vector<held_back> held_back_;
  time_point oldest_ending_{};
  std::optional<std::chrono::nanoseconds> service_time_;

  /// A job on its last chance: waits until it is alone, then is alone until it is recorded.
  std::optional<claimed_job> suspect_;
  bool alone_ = false;

  worker_identity who_;
  bool may_claim_ = false;
  bool evicted_ = false;
  bool intake_open_ = true;
  bool crew_may_end_ = false;
  bool shut_ = false;
  time_point give_up_at_{};

  outlook outlook_;

  worker_stats totals_;
  stop_report report_;
};

}  // namespace scalekit::queue::detail

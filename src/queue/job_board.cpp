#include "queue/job_board.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace scalekit::queue::detail {

using std::chrono::steady_clock;

namespace {

void request_stops(std::vector<std::stop_source>& stops) {
  for (auto& s : stops) s.request_stop();
}

std::uint64_t seed_or_random(std::uint64_t seed) {
  return seed != 0 ? seed : random_generator::random_seed();
}

}  // namespace

job_board::job_board(worker_params params, std::shared_ptr<engine> store, const clock& wall)
    : params_(std::move(params)),
      store_(std::move(store)),
      wall_(wall),
      random_(seed_or_random(params_.seed)),
      outlook_(params_.poll_least, params_.poll_most) {}

// --- handlers' threads ---

std::shared_ptr<running_attempt> job_board::take() {
  std::unique_lock lock(mutex_);
  handlers_cv_.wait(lock, [this] { return crew_may_end_ || !buffer_.empty(); });
  if (buffer_.empty()) return nullptr;
  auto job = std::move(buffer_.front().job);
  buffer_.pop_front();
  auto& kind = kinds_.find(job.kind)->second;
  auto run = std::make_shared<running_attempt>(std::move(job), kind, store_, steady_clock::now());
  running_.insert(run.get());
  tell_pump();
  return run;
}

attempt_facts job_board::facts_of(const running_attempt& run) {
  return {.held = run.job.held,
          .past = run.job.past,
          .max_attempts = run.job.max_attempts,
          .retry = run.kind.retry,
          .now = wall_.wall_now(),
          .random = random_()};
}

void job_board::finish(running_attempt& run, const disposition& how) {
  const auto now = steady_clock::now();
  std::lock_guard lock(mutex_);
  running_.erase(&run);
  service_time_ = smoothed(service_time_, now - run.began);
  if (!run.decided.exchange(true)) {
    end_with({how, &run.kind, run.completed_inside.load()}, now);
  }
  if (running_.empty()) quiet_cv_.notify_all();
  tell_pump();
}

// --- the pump's thread ---

pump_order job_board::next_order() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto now = steady_clock::now();
    for (auto& h : held_back_) {
      if (now >= h.until) end_with(std::move(h.ending), now);
    }
    std::erase_if(held_back_, [now](const held_back& h) { return now >= h.until; });
    start_suspect_if_alone(now);

    const bool all_recorded = unsettled_.empty() && held_back_.empty();
    if (shut_ && (all_recorded || now >= give_up_at_)) return {.quit = true};
    auto step = next_step(view(now));
    if (step.what != pump_step::action::wait) {
      pump_order order{.what = step.what, .claim = step.claim, .who = who_};
      if (step.what == pump_step::action::turn) order.endings = std::exchange(unsettled_, {});
      if (step.claim > 0) outlook_.claiming();
      return order;
    }
    if (shut_) step.until = std::min(step.until, give_up_at_);
    for (const auto& h : held_back_) step.until = std::min(step.until, h.until);
    pump_cv_.wait_for(lock, step.until - now);
  }
}

void job_board::deliver(std::vector<claimed_job> jobs, std::size_t wanted,
                        const worker_identity& who) {
  const auto now = steady_clock::now();
  std::lock_guard lock(mutex_);
  outlook_.claimed(jobs.size(), wanted, now, random_());
  // Claimed under an identity that was lost meanwhile: its jobs are somebody else's by now.
  if (who != who_ || evicted_) return;

  for (auto& job : jobs) {
    if (!intake_open_ || suspect_) {
      end_with({after_return(job.held)}, now);
    } else if (is_suspect(job.past, params_.max_crashes)) {
      suspect_ = std::move(job);
      return_buffer(now);
    } else {
      buffer_.push_back({std::move(job), now});
    }
  }
  handlers_cv_.notify_all();
}

void job_board::looked(bool found, std::optional<std::chrono::nanoseconds> due_in) {
  const auto now = steady_clock::now();
  std::lock_guard lock(mutex_);
  outlook_.looked(found, due_in, now, random_());
}

void job_board::recorded(const std::vector<ended>& endings, const std::vector<bool>& settled) {
  const auto now = steady_clock::now();
  const auto wall_now = wall_.wall_now();
  std::lock_guard lock(mutex_);
  ++totals_.turns;
  for (std::size_t i = 0; i < endings.size(); ++i) {
    const auto& what = endings[i].how.what;
    count(totals_, endings[i], settled[i]);
    if (what.to == settlement::fate::later) outlook_.due(now + (what.at - wall_now));
  }
  end_solitude();
}

void job_board::put_back(std::vector<ended> endings, std::chrono::nanoseconds pause) {
  const auto now = steady_clock::now();
  std::lock_guard lock(mutex_);
  if (!endings.empty() && unsettled_.empty()) oldest_ending_ = now;
  unsettled_.insert(unsettled_.begin(), std::make_move_iterator(endings.begin()),
                    std::make_move_iterator(endings.end()));
  outlook_.failed(now + pause);
}

void job_board::hold_back(ended ending, std::chrono::nanoseconds pause) {
  std::lock_guard lock(mutex_);
  held_back_.push_back({std::move(ending), steady_clock::now() + pause});
}

// --- the heart's thread ---

void job_board::set_identity(const worker_identity& who) {
  std::lock_guard lock(mutex_);
  who_ = who;
  evicted_ = false;
}

worker_identity job_board::identity() const {
  std::lock_guard lock(mutex_);
  return who_;
}

void job_board::allow_claims(bool allowed) {
  std::lock_guard lock(mutex_);
  if (std::exchange(may_claim_, allowed) != allowed) pump_cv_.notify_one();
}

void job_board::supervise() {
  const auto now = steady_clock::now();
  std::vector<std::stop_source> overdue;
  {
    std::lock_guard lock(mutex_);
    overdue = decide_overdue(now);
    if (!buffer_.empty() && now - buffer_.front().since >= params_.max_prefetch_age) {
      // What runs now is slower than it looked: claim nothing ahead until that has changed.
      service_time_ = slow_service(params_.concurrency);
      return_buffer(now);
    }
    tell_pump();
  }
  request_stops(overdue);
}

std::vector<std::stop_source> job_board::decide_overdue(time_point now) {
  std::vector<std::stop_source> overdue;
  for (auto* run : running_) {
    if (now < run->until() || run->decided.exchange(true)) continue;
    overdue.push_back(run->will_stop(stop_cause::overdue));
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(run->kind.timeout);
    const auto why = "took longer than " + std::to_string(limit.count()) + " ms";
    end_with({after_outcome(facts_of(*run), outcome::retry(why)), &run->kind,
              run->completed_inside.load()},
             now);
  }
  return overdue;
}

void job_board::add_rescued(std::size_t jobs) {
  std::lock_guard lock(mutex_);
  totals_.rescued += jobs;
}

void job_board::doubt() {
  std::vector<std::stop_source> stops;
  {
    std::lock_guard lock(mutex_);
    // What has not begun had better not begin here.
    return_buffer(steady_clock::now());
    stops = stop_running(stop_cause::doubtful);
  }
  request_stops(stops);
}

void job_board::lose_all() {
  std::vector<std::stop_source> stops;
  {
    std::lock_guard lock(mutex_);
    buffer_.clear();
    suspect_.reset();
    end_solitude();
    stops = stop_running(stop_cause::lease_lost);
  }
  request_stops(stops);
}

bool job_board::was_evicted() const {
  std::lock_guard lock(mutex_);
  return evicted_;
}

void job_board::set_evicted() {
  std::lock_guard lock(mutex_);
  evicted_ = true;
  may_claim_ = false;
}

// --- stopping ---

void job_board::close_intake() {
  const auto now = steady_clock::now();
  std::lock_guard lock(mutex_);
  intake_open_ = false;
  if (suspect_) end_with({after_return(suspect_->held)}, now);
  suspect_.reset();
  report_.returned += buffer_.size();
  return_buffer(now);
  pump_cv_.notify_one();
}

bool job_board::wait_for_handlers(std::chrono::nanoseconds patience) {
  std::unique_lock lock(mutex_);
  return quiet_cv_.wait_for(lock, patience, [this] { return running_.empty(); });
}

void job_board::interrupt_handlers() {
  std::vector<std::stop_source> stops;
  {
    std::lock_guard lock(mutex_);
    report_.interrupted = running_.size();
    stops = stop_running(stop_cause::shutdown);
  }
  request_stops(stops);
}

void job_board::abandon_handlers() {
  const auto now = steady_clock::now();
  std::lock_guard lock(mutex_);
  report_.abandoned = running_.size();
  for (auto* run : running_) {
    if (run->decided.exchange(true)) continue;
    end_with({after_interruption(facts_of(*run)), &run->kind, run->completed_inside.load()}, now);
  }
  crew_may_end_ = true;
  handlers_cv_.notify_all();
}

void job_board::shut(time_point give_up_at) {
  std::lock_guard lock(mutex_);
  shut_ = true;
  give_up_at_ = give_up_at;
  pump_cv_.notify_one();
}

stop_report job_board::report() const {
  std::lock_guard lock(mutex_);
  return report_;
}

// --- anywhere ---

void job_board::wake() noexcept {
  std::lock_guard lock(mutex_);
  outlook_.told();
  tell_pump();
}

void job_board::expect() noexcept {
  std::lock_guard lock(mutex_);
  outlook_.forewarned(steady_clock::now());
  pump_cv_.notify_one();
}

worker_stats job_board::stats() const {
  std::lock_guard lock(mutex_);
  worker_stats s = totals_;
  s.running = running_.size();
  s.prefetched = buffer_.size() + (suspect_ ? 1 : 0);
  for (const auto& [name, kind] : kinds_) s.kinds.push_back(kind.counts);
  return s;
}

// --- with the mutex held ---

workload job_board::load() const {
  return {.concurrency = params_.concurrency,
          .max_batch = params_.max_batch,
          .running = running_.size(),
          .buffered = buffer_.size(),
          .unsettled = unsettled_.size(),
          .service_time = service_time_};
}

pump_view job_board::view(time_point now) const {
  return {.now = now,
          .load = load(),
          .oldest_ending = oldest_ending_,
          .open = intake_open_ && may_claim_ && !suspect_ && !alone_,
          .closing = !intake_open_,
          .expecting = outlook_.expecting(),
          .look_at = outlook_.look_at(),
          .not_before = outlook_.not_before()};
}

void job_board::tell_pump() {
  if (next_step(view(steady_clock::now())).what != pump_step::action::wait ||
      unsettled_.size() == 1 || suspect_) {
    pump_cv_.notify_one();
  }
}

std::vector<std::stop_source> job_board::stop_running(stop_cause why) {
  std::vector<std::stop_source> stops;
  stops.reserve(running_.size());
  for (auto* run : running_) stops.push_back(run->will_stop(why));
  return stops;
}

bool job_board::all_decided() const {
  return std::all_of(running_.begin(), running_.end(),
                     [](const running_attempt* run) { return run->decided.load(); });
}

void job_board::end_solitude() {
  if (alone_ && all_decided() && buffer_.empty() && unsettled_.empty()) alone_ = false;
}

void job_board::end_with(ended e, time_point now) {
  if (unsettled_.empty()) oldest_ending_ = now;
  unsettled_.push_back(std::move(e));
}

void job_board::return_buffer(time_point now) {
  for (const auto& w : buffer_) end_with({after_return(w.job.held)}, now);
  buffer_.clear();
}

void job_board::start_suspect_if_alone(time_point now) {
  if (!suspect_ || !all_decided() || !buffer_.empty() || !unsettled_.empty()) return;
  alone_ = true;
  buffer_.push_back({std::move(*suspect_), now});
  suspect_.reset();
  handlers_cv_.notify_one();
}

}  // namespace scalekit::queue::detail

#include "queue/heart.hpp"

#include "queue/bisect.hpp"
#include "queue/disposition.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

namespace scalekit::queue::detail {

using std::chrono::steady_clock;

namespace {

/// Jobs rescued in one transaction.
constexpr std::size_t rescue_batch = 256;

}  // namespace

heart::heart(job_board& board, engine& store, const worker_params& params, const clock& wall,
             const log_sink& log, std::chrono::nanoseconds shortest_timeout) noexcept
    : board_(board),
      store_(store),
      params_(params),
      wall_(wall),
      log_(log),
      tick_(std::max<std::chrono::nanoseconds>(
          std::chrono::milliseconds{2},
          std::min<std::chrono::nanoseconds>(params.heartbeat_interval / 3, shortest_timeout / 4))),
      watch_period_(watch_period(params)),
      pulse_(params.heartbeat_interval, params.stale_after, steady_clock::now()),
      watch_(watch_period_) {}

void heart::enlist() {
  const auto began = steady_clock::now();
  const auto nonce = static_cast<std::int64_t>(random_generator::random_seed() >> 1);
  const auto who = store_.enlist(nonce, params_.stale_after, wall_.wall_now());
  board_.set_identity(who);
  pulse_.beaten(began);
  board_.allow_claims(true);
}

void heart::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const auto now = steady_clock::now();
    if (pulse_.is_due(now) || (board_.was_evicted() && now >= enlist_at_)) beat(now);
    board_.allow_claims(pulse_.may_claim(steady_clock::now()) && !board_.was_evicted());
    if (pulse_.is_doubtful(steady_clock::now())) board_.doubt();
    if (now >= next_watch_) watch(now);
    board_.supervise();
    lock.lock();
    cv_.wait_for(lock, tick_, [this] { return stopping_; });
  }
}

void heart::stop() {
  std::lock_guard lock(mutex_);
  stopping_ = true;
  cv_.notify_all();
}

void heart::leave() noexcept {
  try {
    store_.leave(board_.identity());
  } catch (...) {
    // Found dead by the others in time; there is nothing left in its hands.
  }
}

void heart::beat(time_point now) {
  try {
    const auto who = board_.identity();
    if (!board_.was_evicted() && store_.beat(who, wall_.wall_now())) {
      pulse_.beaten(now);
      return;
    }
    const auto id = std::to_string(who.id);
    log_(log_level::warning, "queue.worker.evicted",
         "this worker was taken for dead (it stood still for too long); its jobs run elsewhere, "
         "and it begins anew",
         {{"worker", id}});
    board_.set_evicted();
    board_.lose_all();
    enlist();
  } catch (...) {
    pulse_.missed(now);
    enlist_at_ = pulse_.next();
    const auto e = to_error(std::current_exception());
    log_(log_level::warning, "queue.worker.heartbeat_failed",
         "the heartbeat could not be written; the worker claims nothing until it can",
         {{"error", e.what()}});
  }
}

void heart::watch(time_point now) {
  next_watch_ = now + watch_period_;
  try {
    auto seen = store_.workers();
    const auto self = board_.identity().id;
    std::erase_if(seen, [self](const worker_sighting& w) { return w.id == self; });
    for (const auto& dead : watch_.look(seen, now)) {
      if (!store_.evict(dead)) continue;
      const auto id = std::to_string(dead.id);
      log_(log_level::warning, "queue.worker.dead",
           "a worker's heartbeat has stopped; its jobs are set free", {{"worker", id}});
    }
    rescue_orphans();
  } catch (...) {
    // Tried again at the next watch. That the database is away, the heartbeat has said.
  }
}

void heart::rescue_orphans() {
  auto orphans = store_.orphans(rescue_batch);
  if (orphans.empty()) return;
  const auto now = wall_.wall_now();
  std::vector<settlement> settle;
  settle.reserve(orphans.size());
  for (const auto& o : orphans) settle.push_back(after_crash(o, params_.max_crashes, now));

  std::size_t freed = 0;
  std::size_t buried = 0;
  turn_result result;
  const auto failures = bisect(
      std::span<settlement>(settle),
      [&](std::span<settlement> part) { result = store_.turn({.settle = part, .now = now}); },
      [&](std::span<settlement> part) {
        for (std::size_t i = 0; i < part.size(); ++i) {
          if (!result.settled[i]) continue;
          ++(part[i].to == settlement::fate::dead ? buried : freed);
        }
      },
      [](const std::exception_ptr& e) { return is_transient(to_error(e).code()); });

  board_.add_rescued(freed);
  const auto freed_text = std::to_string(freed);
  const auto buried_text = std::to_string(buried);
  const auto stuck_text = std::to_string(failures.size());
  log_(log_level::warning, "queue.jobs.rescued", "jobs of dead workers are ready again",
       {{"jobs", freed_text}, {"given_up", buried_text}, {"stuck", stuck_text}});
  board_.wake();
  // More of them wait: do not leave them until the next watch.
  if (orphans.size() == rescue_batch && failures.empty()) next_watch_ = {};
}

}  // namespace scalekit::queue::detail

#include "scalekit/queue/queue.hpp"

#include "queue/checks.hpp"
#include "queue/queue_state.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db/client.hpp"

#include <string>
#include <utility>

namespace scalekit::queue {
namespace {

detail::new_job prepared(std::string_view kind, std::string_view payload,
                         const enqueue_options& options, const detail::queue_state& state) {
  const auto& params = state.params;
  detail::check_job(kind, payload, options, params);
  const auto now = params.clock->wall_now();
  detail::new_job job{
      .queue = options.queue,
      .kind = kind,
      .payload = payload,
      .priority = options.priority,
      .key = detail::priority_key(now + options.run_in, options.priority, state.rules()),
      .max_attempts = options.max_attempts > 0 ? options.max_attempts : params.max_attempts,
      .enqueued_at = now};
  if (options.run_in > std::chrono::microseconds::zero()) job.run_at = now + options.run_in;
  return job;
}

std::vector<detail::new_job> prepared(std::span<const job_request> requests,
                                      const detail::queue_state& state) {
  std::vector<detail::new_job> jobs;
  jobs.reserve(requests.size());
  for (const auto& r : requests) {
    jobs.push_back(prepared(r.kind, r.payload, r.options, state));
  }
  return jobs;
}

/// Stores jobs and tells the workers: now, or, while the caller's transaction is open, to be ready.
std::vector<job_id> store(detail::queue_state& state, db::transaction* tx,
                          std::span<const detail::new_job> jobs, std::stop_token stop = {}) {
  if (jobs.empty()) return {};
  auto ids = state.store->enqueue(tx, jobs, std::move(stop));
  if (tx == nullptr) {
    state.hub.wake();
  } else {
    state.hub.expect();
  }
  return ids;
}

}  // namespace

queue::queue(const db::client& db, queue_params params) {
  detail::validate(params);
  state_ = std::make_shared<detail::queue_state>();
  state_->store = detail::make_engine(db, params.table_prefix, params.call_timeout);
  state_->params = std::move(params);
  state_->exec = db.execution();
}

void queue::migrate() {
  state_->store->migrate();
}

job_id queue::enqueue(std::string_view kind, std::string_view payload, enqueue_options options) {
  return enqueue(kind, payload, options, std::stop_token());
}

job_id queue::enqueue(std::string_view kind, std::string_view payload,
                      const enqueue_options& options, std::stop_token stop) {
  const auto job = prepared(kind, payload, options, *state_);
  return store(*state_, nullptr, {&job, 1}, std::move(stop)).front();
}

job_id queue::enqueue(db::transaction& tx, std::string_view kind, std::string_view payload,
                      enqueue_options options) {
  const auto job = prepared(kind, payload, options, *state_);
  return store(*state_, &tx, {&job, 1}).front();
}

std::vector<job_id> queue::enqueue_many(std::span<const job_request> requests) {
  return enqueue_many(requests, std::stop_token());
}

std::vector<job_id> queue::enqueue_many(std::span<const job_request> requests,
                                        std::stop_token stop) {
  return store(*state_, nullptr, prepared(requests, *state_), std::move(stop));
}

std::vector<job_id> queue::enqueue_many(db::transaction& tx,
                                        std::span<const job_request> requests) {
  return store(*state_, &tx, prepared(requests, *state_));
}

std::optional<job_status> queue::status(job_id id) {
  return status(id, {});
}

std::optional<job_status> queue::status(job_id id, std::stop_token stop) {
  return state_->store->status(id, std::move(stop));
}

queue_stats queue::stats() {
  return stats(std::stop_token());
}

queue_stats queue::stats(std::stop_token stop) {
  return state_->store->stats(state_->params.clock->wall_now(), std::move(stop));
}

std::vector<dead_letter> queue::dead_letters(std::size_t limit, job_id after) {
  return dead_letters(limit, after, {});
}

std::vector<dead_letter> queue::dead_letters(std::size_t limit, job_id after,
                                             std::stop_token stop) {
  if (limit < 1 || limit > 10'000) {
    throw error(errc::invalid_argument,
                "queue::dead_letters: limit is " + std::to_string(limit) + "; legal: 1 to 10000");
  }
  return state_->store->dead_letters(limit, after, std::move(stop));
}

bool queue::redrive(job_id id) {
  return redrive(id, {});
}

bool queue::redrive(job_id id, std::stop_token stop) {
  const auto status = state_->store->status(id, stop);
  if (!status || status->state != job_state::dead) return false;
  const auto now = state_->params.clock->wall_now();
  const bool moved = state_->store->redrive(
      id, detail::priority_key(now, status->priority, state_->rules()), std::move(stop));
  if (moved) state_->hub.wake();
  return moved;
}

bool queue::delete_dead_letter(job_id id) {
  return delete_dead_letter(id, {});
}

bool queue::delete_dead_letter(job_id id, std::stop_token stop) {
  return state_->store->delete_dead_letter(id, std::move(stop));
}

void queue::wake() noexcept {
  state_->hub.wake();
}

const execution& queue::exec() const noexcept {
  return state_->exec;
}

}  // namespace scalekit::queue

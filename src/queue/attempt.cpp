#include "scalekit/queue/attempt.hpp"

#include "queue/running_attempt.hpp"
#include "scalekit/core/error.hpp"

#include <string>

namespace scalekit::queue {

namespace {

[[noreturn]] void throw_lost(detail::running_attempt& state) {
  state.will_stop(detail::stop_cause::lease_lost).request_stop();
  throw error(errc::lease_lost, "job " + std::to_string(state.job.held.job) + " (" +
                                    state.job.kind + "), lease " + to_string(state.job.held) +
                                    ": no longer held, another attempt may be under way");
}

/// The time was up: the attempt was counted as an error, whether or not that is recorded yet.
bool is_over(const detail::running_attempt& state) noexcept {
  return state.decided.load() || state.cause.load() == detail::stop_cause::lease_lost;
}

}  // namespace

job_id attempt::id() const noexcept {
  return state_->job.held.job;
}
std::string_view attempt::kind() const noexcept {
  return state_->job.kind;
}
std::string_view attempt::queue() const noexcept {
  return state_->job.queue;
}

std::string_view attempt::payload() const noexcept {
  const auto& bytes = state_->job.payload;
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

int attempt::number() const noexcept {
  return state_->job.past.errors + state_->job.past.crashes + 1;
}

bool attempt::is_last() const noexcept {
  return state_->job.past.errors + 1 >= state_->job.max_attempts;
}

const scalekit::queue::lease& attempt::lease() const noexcept {
  return state_->job.held;
}
time_point attempt::deadline() const noexcept {
  return state_->until();
}
std::stop_token attempt::stop_token() const noexcept {
  return state_->stop.get_token();
}

void attempt::heartbeat() {
  if (is_over(*state_) || !state_->store->holds(state_->job.held)) throw_lost(*state_);
  state_->prolong(std::chrono::steady_clock::now());
}

void attempt::complete_in(db::transaction& tx) {
  if (is_over(*state_) || !state_->store->complete_in(tx, state_->job.held)) throw_lost(*state_);
  state_->completed_inside = true;
}

}  // namespace scalekit::queue

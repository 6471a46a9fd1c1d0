#include "core/breaker_machine.hpp"

#include <algorithm>

namespace scalekit::detail {

using kind = breaker_cause::kind;

void outcome_window::add(bool failed, time_point now) {
  const auto epoch = epoch_of(now);
  auto& current = slots_[static_cast<std::size_t>(epoch) % slots_.size()];
  if (current.epoch != epoch) current = {epoch, {}};
  ++current.in.total;
  if (failed) ++current.in.failures;
}

outcome_window::counts outcome_window::sum(time_point now) const {
  const auto oldest = epoch_of(now) - static_cast<std::int64_t>(slots_.size()) + 1;
  counts all;
  for (const auto& each : slots_) {
    if (each.epoch < oldest) continue;
    all.failures += each.in.failures;
    all.total += each.in.total;
  }
  return all;
}

breaker_machine::breaker_machine(const circuit_breaker_params& params)
    : params_(params), window_(params.window), probes_(params.probes) {}

std::optional<breaker_machine::ticket> breaker_machine::admit(time_point now,
                                                              std::uint64_t random) {
  now = monotonic(now);
  expire_probes(now, random);
  if (state_ == breaker_state::closed) return ticket{generation_, 0};
  if (state_ == breaker_state::open) {
    if (now < open_until_) return std::nullopt;
    change(breaker_state::half_open);
    probes_.assign(params_.probes, {});
    probes_succeeded_ = 0;
  }
  return give_probe(now);
}

void breaker_machine::report(const ticket& of, breaker_outcome outcome, time_point now,
                             std::uint64_t random) {
  now = monotonic(now);
  expire_probes(now, random);
  if (of.generation != generation_) return;
  if (state_ == breaker_state::closed) {
    if (outcome != breaker_outcome::ignored) {
      count_in_closed(outcome == breaker_outcome::failure, now, random);
    }
    return;
  }
  probes_[of.probe].out = false;
  if (outcome == breaker_outcome::failure) open(now, random, {kind::probe_failed, {}});
  if (outcome == breaker_outcome::success && ++probes_succeeded_ >= params_.probes) close();
}

void breaker_machine::expire_probes(time_point now, std::uint64_t random) {
  if (state_ != breaker_state::half_open) return;
  for (const auto& probe : probes_) {
    if (!probe.out || now < probe.deadline) continue;
    // The pause counts from the deadline, not from when somebody came to look.
    open(probe.deadline, random, {kind::probe_silent, {}});
    return;
  }
}

time_point breaker_machine::next_admission(time_point now) const {
  if (state_ == breaker_state::closed) return now;
  if (state_ == breaker_state::open) return open_until_;
  if (free_probes() > 0) return now;
  auto next = time_point::max();
  for (const auto& probe : probes_) {
    if (probe.out) next = std::min(next, probe.deadline);
  }
  return next;
}

void breaker_machine::change(breaker_state to) {
  if (changes_.size == changes_.items.size()) {  // nobody took them: the newest are kept
    changes_.items.front() = changes_.items.back();
    --changes_.size;
  }
  changes_.items[changes_.size++] = {state_, to, ++generation_};
  state_ = to;
}

void breaker_machine::open(time_point since, std::uint64_t random, breaker_cause cause) {
  change(breaker_state::open);
  open_until_ = since + backoff_delay(params_.pause, ++opened_in_a_row_, random);
  cause_ = cause;
}

void breaker_machine::close() {
  change(breaker_state::closed);
  opened_in_a_row_ = 0;
  failures_in_a_row_ = 0;
  window_.clear();
}

void breaker_machine::count_in_closed(bool failed, time_point now, std::uint64_t random) {
  if (params_.failure_ratio > 0) window_.add(failed, now);
  if (!failed) {
    failures_in_a_row_ = 0;
    return;
  }
  ++failures_in_a_row_;
  if (params_.consecutive_failures > 0 && failures_in_a_row_ >= params_.consecutive_failures) {
    open(now, random, {kind::failures_in_a_row, {failures_in_a_row_, failures_in_a_row_}});
    return;
  }
  if (params_.failure_ratio <= 0) return;
  const auto seen = window_.sum(now);
  if (seen.total < params_.min_throughput) return;
  const auto least = params_.failure_ratio * static_cast<double>(seen.total);
  if (static_cast<double>(seen.failures) < least) return;
  open(now, random, {kind::failure_ratio, seen});
}

std::uint32_t breaker_machine::free_probes() const {
  // Those that succeeded already need not be asked again.
  auto free = params_.probes - probes_succeeded_;
  for (const auto& probe : probes_) free -= probe.out ? 1 : 0;
  return free;
}

std::optional<breaker_machine::ticket> breaker_machine::give_probe(time_point now) {
  if (free_probes() == 0) return std::nullopt;
  for (std::uint32_t i = 0; i < params_.probes; ++i) {
    if (probes_[i].out) continue;
    probes_[i] = {true, now + params_.probe_deadline};
    return ticket{generation_, i};
  }
  return std::nullopt;
}

}  // namespace scalekit::detail

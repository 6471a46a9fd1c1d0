#include "scalekit/core/circuit_breaker.hpp"

#include "core/breaker_machine.hpp"
#include "core/require.hpp"
#include "scalekit/core/error.hpp"

#include <atomic>
#include <mutex>
#include <utility>

namespace scalekit {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

namespace {

circuit_breaker_params checked(circuit_breaker_params params) {
  using namespace std::chrono_literals;
  const std::string prefix = "circuit_breaker_params.";
  detail::require_range(prefix + "consecutive_failures", params.consecutive_failures, 0, 1'000'000);
  detail::require_range(prefix + "failure_ratio", params.failure_ratio, 0, 1);
  detail::require(params.consecutive_failures > 0 || params.failure_ratio > 0,
                  prefix + "failure_ratio", "0",
                  "above 0 when consecutive_failures is 0, or it would never open");
  detail::require_range(prefix + "min_throughput", params.min_throughput, 1, 1'000'000);
  detail::require_range(prefix + "window", params.window, 10ms, 1h);
  validate(params.pause, prefix + "pause");
  detail::require_range(prefix + "probes", params.probes, 1, 16);
  detail::require_range(prefix + "probe_deadline", params.probe_deadline, 1ms, 1h);
  return params;
}

std::string describe(const detail::breaker_cause& cause) {
  using kind = detail::breaker_cause::kind;
  switch (cause.what) {
    case kind::failures_in_a_row:
      return std::to_string(cause.seen.failures) + " failures in a row";
    case kind::failure_ratio:
      return std::to_string(cause.seen.failures) + " failures of " +
             std::to_string(cause.seen.total) + " calls";
    case kind::probe_failed:
      return "a failed probe";
    case kind::probe_silent:
      return "a probe that did not answer in time";
  }
  return "failures";
}

}  // namespace

struct circuit_breaker::state_data {
  state_data(circuit_breaker_params p, const clock& c)
      : params(checked(std::move(p))),
        time(c),
        random(params.seed != 0 ? params.seed : random_generator::random_seed()),
        machine(params),
        closed_generation(machine.generation()) {}

  /// Runs `event` on the machine under the lock, then tells the world what changed.
  template <class Event>
  auto apply(Event event) noexcept {
    std::unique_lock lock(mutex);
    auto answer = event(machine, time.now());
    const auto changes = machine.take_changes();
    const auto cause = machine.cause();
    const bool closed = machine.state() == breaker_state::closed;
    failing.store(machine.failures_in_a_row() > 0, std::memory_order_relaxed);
    closed_generation.store(closed ? machine.generation() : 0, std::memory_order_release);
    lock.unlock();
    for (std::size_t i = 0; i < changes.size; ++i) announce(changes.items[i], cause);
    return answer;
  }

  void announce(const breaker_transition& change, const detail::breaker_cause& cause) noexcept {
    try {
      log(change.to, cause);
    } catch (...) {
      // No memory for a message: still a change.
    }
    if (!params.on_change) return;
    try {
      params.on_change(change);
    } catch (...) {
      // The call that brought the change about did not fail.
    }
  }

  void log(breaker_state to, const detail::breaker_cause& cause) const {
    auto emit = [this](log_level level, std::string_view event, const std::string& text) {
      params.log(level, event, params.name + text, {{"breaker", params.name}});
    };
    switch (to) {
      case breaker_state::open:
        return emit(log_level::warning, "core.breaker.opened",
                    " is left alone after " + describe(cause));
      case breaker_state::half_open:
        return emit(log_level::debug, "core.breaker.half_open", " is tried again");
      case breaker_state::closed:
        return emit(log_level::info, "core.breaker.closed", " works again");
    }
  }

  void report(const detail::breaker_machine::ticket& ticket, breaker_outcome outcome) noexcept {
    const bool uneventful = outcome == breaker_outcome::ignored ||
                            (outcome == breaker_outcome::success && params.failure_ratio <= 0 &&
                             !failing.load(std::memory_order_relaxed));
    if (uneventful && closed_generation.load(std::memory_order_relaxed) == ticket.generation) {
      return;
    }
    apply([&](detail::breaker_machine& m, time_point now) {
      m.report(ticket, outcome, now, random());
      return 0;
    });
  }

  const circuit_breaker_params params;
  const clock& time;
  random_generator random;
  std::mutex mutex;
  detail::breaker_machine machine;
  // What the path without a lock needs: the generation while closed, else 0.
  std::atomic<std::uint64_t> closed_generation;
  std::atomic<bool> failing{false};
};

circuit_breaker::permit::permit(std::shared_ptr<state_data> owner, std::uint64_t generation,
                                std::uint32_t probe)
    : owner_(std::move(owner)), generation_(generation), probe_(probe) {}

circuit_breaker::permit& circuit_breaker::permit::operator=(permit&& other) noexcept {
  if (this == &other) return *this;
  report(breaker_outcome::ignored);
  owner_ = std::move(other.owner_);
  generation_ = other.generation_;
  probe_ = other.probe_;
  return *this;
}

circuit_breaker::permit::~permit() {
  report(breaker_outcome::ignored);
}

void circuit_breaker::permit::report(breaker_outcome outcome) noexcept {
  if (auto owner = std::move(owner_)) owner->report({generation_, probe_}, outcome);
}

void circuit_breaker::permit::report(const boost::system::error_code& code) noexcept {
  report(outcome_of(code));
}

circuit_breaker::circuit_breaker(circuit_breaker_params params, const clock& time)
    : state_(std::make_shared<state_data>(std::move(params), time)) {}

std::optional<circuit_breaker::permit> circuit_breaker::try_acquire() noexcept {
  if (auto generation = state_->closed_generation.load(std::memory_order_acquire)) {
    return permit(state_, generation, 0);
  }
  auto ticket = state_->apply([this](detail::breaker_machine& m, time_point now) {
    return m.admit(now, state_->random());
  });
  if (!ticket) return std::nullopt;
  return permit(state_, ticket->generation, ticket->probe);
}

circuit_breaker::permit circuit_breaker::acquire() {
  if (auto admitted = try_acquire()) return *std::move(admitted);
  detail::breaker_cause cause;
  {
    std::lock_guard lock(state_->mutex);
    cause = state_->machine.cause();
  }
  const auto wait = duration_cast<milliseconds>(retry_after()).count();
  throw error(errc::breaker_open, state_->params.name + " is left alone after " + describe(cause) +
                                      "; next try in " + std::to_string(wait) + " ms");
}

breaker_state circuit_breaker::state() const noexcept {
  // Only a report ends this, under the lock.
  if (state_->closed_generation.load(std::memory_order_acquire)) return breaker_state::closed;
  return state_->apply([this](detail::breaker_machine& m, time_point now) {
    m.expire_probes(now, state_->random());
    return m.state();
  });
}

std::chrono::nanoseconds circuit_breaker::retry_after() const noexcept {
  return state_->apply([this](detail::breaker_machine& m, time_point now) {
    m.expire_probes(now, state_->random());
    return std::max(m.next_admission(now) - now, std::chrono::nanoseconds::zero());
  });
}

breaker_outcome outcome_of(const boost::system::error_code& code) noexcept {
  if (!code.failed()) return breaker_outcome::success;
  if (code.category() != error_category()) return breaker_outcome::failure;
  switch (static_cast<errc>(code.value())) {
    case errc::cancelled:
    case errc::closed:
    case errc::forked:
    case errc::acquire_timeout:
    case errc::shed:
    case errc::breaker_open:
      return breaker_outcome::ignored;

    case errc::execution_timeout:
    case errc::unavailable:
    case errc::connection_lost:
    case errc::io_error:
    case errc::disk_full:
    case errc::corrupt:
    case errc::backend_error:
    case errc::commit_in_doubt:
      return breaker_outcome::failure;

    case errc::invalid_argument:
    case errc::invalid_statement:
    case errc::parameter_mismatch:
    case errc::column_mismatch:
    case errc::value_out_of_range:
    case errc::too_large:
    case errc::not_found:
    case errc::not_allowed:
    case errc::not_supported:
    case errc::constraint_violation:
    case errc::conflict:
    case errc::read_only:
    case errc::lease_lost:
    case errc::write_lost:
      return breaker_outcome::success;
  }
  return breaker_outcome::failure;
}

const char* to_string(breaker_state state) noexcept {
  switch (state) {
    case breaker_state::closed:
      return "closed";
    case breaker_state::open:
      return "open";
    case breaker_state::half_open:
      return "half_open";
  }
  return "unknown";
}

}  // namespace scalekit

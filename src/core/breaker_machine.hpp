#pragma once

#include "scalekit/core/circuit_breaker.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace scalekit::detail {

/// Successes and failures of the last `length`, sliding in tenths.
class outcome_window {
 public:
  struct counts {
    std::uint64_t failures = 0;
    std::uint64_t total = 0;
  };

  explicit outcome_window(std::chrono::nanoseconds length) : slot_length_(length / slots_.size()) {}

  void add(bool failed, time_point now);
  counts sum(time_point now) const;
  void clear() { slots_ = {}; }

 private:
  struct tenth {
    std::int64_t epoch = -1;
    counts in;
  };

  std::int64_t epoch_of(time_point t) const { return t.time_since_epoch() / slot_length_; }

  std::array<tenth, 10> slots_{};
  std::chrono::nanoseconds slot_length_;
};

/// Why a breaker opened.
struct breaker_cause {
  enum class kind { failures_in_a_row, failure_ratio, probe_failed, probe_silent };
  kind what = kind::failures_in_a_row;
  /// What was counted; for the two kinds of a closed breaker.
  outcome_window::counts seen;
};

/// What one event changed; at most: a silent probe opens, and the pause is over already.
struct breaker_changes {
  std::array<breaker_transition, 2> items{};
  std::size_t size = 0;
};

/// The decisions of a circuit_breaker: no clock, no lock, no callback.
///
/// Every event comes with the time; a time before one already seen counts as that one. Nothing
/// but the constructor allocates, so that no event can fail.
class breaker_machine {
 public:
  /// What an admitted call shows when it reports.
  struct ticket {
    std::uint64_t generation = 0;
    std::uint32_t probe = 0;
  };

  explicit breaker_machine(const circuit_breaker_params& params);

  std::optional<ticket> admit(time_point now, std::uint64_t random);

  /// `random` decides the jitter of the pause, should this open the breaker.
  void report(const ticket& of, breaker_outcome outcome, time_point now, std::uint64_t random);

  /// Lets probes whose deadline has passed fail.
  void expire_probes(time_point now, std::uint64_t random);

  breaker_state state() const { return state_; }
  std::uint64_t generation() const { return generation_; }
  std::uint32_t failures_in_a_row() const { return failures_in_a_row_; }

  /// When a call may be admitted; never later than `now` where it would be admitted at once.
  time_point next_admission(time_point now) const;

  /// Why it opened last.
  const breaker_cause& cause() const { return cause_; }

  /// The changes since the last call, oldest first. To miss none, call after each event.
  breaker_changes take_changes() { return std::exchange(changes_, {}); }

 private:
  struct probe_slot {
    bool out = false;
    time_point deadline;
  };

  time_point monotonic(time_point now) { return last_seen_ = std::max(last_seen_, now); }
  void change(breaker_state to);
  void open(time_point since, std::uint64_t random, breaker_cause cause);
  void close();
  void count_in_closed(bool failed, time_point now, std::uint64_t random);
  std::uint32_t free_probes() const;
  std::optional<ticket> give_probe(time_point now);

  circuit_breaker_params params_;
  breaker_state state_ = breaker_state::closed;
  // Never 0: the shell uses that for "not closed".
  std::uint64_t generation_ = 1;
  time_point last_seen_ = time_point::min();

  std::uint32_t failures_in_a_row_ = 0;
  outcome_window window_;

  time_point open_until_;
  std::uint64_t opened_in_a_row_ = 0;
  breaker_cause cause_;

  std::vector<probe_slot> probes_;
  std::uint32_t probes_succeeded_ = 0;

  breaker_changes changes_;
};

}  // namespace scalekit::detail

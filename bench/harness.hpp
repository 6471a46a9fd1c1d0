#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace bench {

/// What a figure means: rates, where more is better, or costs, where less is.
enum class better { more, less };

/// One run of a case: does the work, and returns its figure in the case's unit.
using measure = std::function<double()>;

struct case_spec {
  /// Fixed name, as in docs/benchmarks.md.
  std::string name = {};
  /// "ops/s", "ns", "MiB".
  std::string unit = {};
  better direction = better::more;
  measure ours = {};
  /// What `peer` measures, in words; empty for a case without a peer.
  std::string peer_name = {};
  measure peer = {};
  /// Bars. `least_value` is the most where less is better.
  double least_ratio = 0;
  std::optional<double> least_value = {};
  /// Bar on ours minus the peer's; such a case shows the difference and no ratio.
  std::optional<double> least_difference = {};
  /// Runs of each side, alternating; medians count. At least 5.
  int runs = 7;
  /// For ratios near 1: the peer runs twice each time, and the ratio of its first runs to its
  /// second (A/A) tells what a ratio of nothing looks like here.
  bool twice = false;
  /// The figure is the same each time: it is taken once, without a run for warmth.
  bool once = false;
  /// It replays traces: without --traces it is not run, and the table says so.
  bool needs_traces = false;
  /// For what must never happen: the worst run counts, not the median.
  bool worst = false;
};

/// Adds a case; main() (in harness.cpp) runs those whose name begins with one of its arguments,
/// or all, prints a table and appends JSON lines to the file given by --out. `--runs N` goes over
/// the cases' own number of runs; `--quick` makes one, or so few as --runs says, and marks what
/// comes out. `--list` prints the names and runs nothing.
void add(case_spec spec);

/// Each program defines it: adds its cases.
void register_cases();

/// The directory given by --traces; empty if none was.
const std::string& traces_directory();

/// Calls `batch(n)` with growing n until it takes at least `seconds`, and returns operations per
/// second of that last call.
double rate(const std::function<void(std::uint64_t n)>& batch, double seconds = 0.3);

/// Keeps the optimiser from removing what computes `value`.
template <class T>
inline void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

}  // namespace bench

#pragma once

#include "harness.hpp"

#include <string>
#include <vector>

namespace bench {

/// What came out of a case.
struct outcome {
  /// Medians; of ours the worst where the case says so.
  double value = 0, peer_value = 0;
  /// Above 1 where ours is better, whatever the direction.
  double ratio = 0;
  double difference = 0;
  /// Of the peer to itself (A/A); 0 where it was not asked for.
  double same_ratio = 0;
  int runs = 0;
  /// Every bar was reached.
  bool reached = true;
  /// A quick look: too few runs to be kept.
  bool quick = false;
};

/// Fewer runs than this are a quick look.
inline constexpr int least_runs = 5;

/// Of two in the middle their mean. Precondition: not empty.
double median(std::vector<double> figures);

/// Runs both sides, alternating.
outcome run(const case_spec& spec);

/// A line of the table that is printed.
std::string table_row(const case_spec& spec, const outcome& out);

/// A line of results.jsonl.
std::string json_line(const case_spec& spec, const outcome& out);

}  // namespace bench

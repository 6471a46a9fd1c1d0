#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// What a program of benchmarks is asked for.
struct command_line {
  /// Beginnings of names of cases; empty: all.
  std::vector<std::string> names = {};
  /// A file that JSON lines are appended to; empty: none.
  std::string out = {};
  /// In place of the cases' own numbers.
  std::optional<int> runs = {};
  std::string traces = {};
  bool only_list = false;

  bool wants(std::string_view name) const;
};

/// Throws std::invalid_argument for an option without its value, and for fewer than least_runs runs
/// without --quick, which marks the results. --quick alone makes one run.
command_line parse_command_line(std::span<char* const> arguments);

}  // namespace bench

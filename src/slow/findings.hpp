#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/slow/report.hpp"
#include "slow/scope_table.hpp"
#include "slow/statement_entry.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <source_location>
#include <string_view>
#include <vector>

namespace scalekit::slow {

/// What the binds of a group of calls say about it.
n_plus_one_pattern pattern_of(const scope_count& group) noexcept;

/// The N+1 patterns found, one for each statement and place.
///
/// Thread safety: every member may be called from any thread.
class findings {
 public:
  static constexpr std::size_t max_findings = 100;

  /// A group reached the threshold or went beyond. Returns true for a new finding.
  bool note(const detail::statement_entry& statement, const std::source_location& where,
            std::string_view scope, const scope_count& group, bool reached_now, time_point now);

  /// Those in most requests first.
  std::vector<n_plus_one_report> list(const moment& now) const;

  std::size_t size() const;
  std::uint64_t dropped() const;
  void clear();

 private:
  struct finding {
    const detail::statement_entry* statement;
    const char* file_address;
    time_point first;
    time_point last;
    /// All but the times.
    n_plus_one_report report;
  };

  mutable std::mutex mutex_;
  std::vector<finding> all_;
  std::uint64_t dropped_ = 0;
};

}  // namespace scalekit::slow

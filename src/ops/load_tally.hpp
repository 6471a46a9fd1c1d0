#pragma once

// Counts and durations of a load run, by kind of request. No I/O.

#include "scalekit/core/histogram.hpp"
#include "scalekit/ops/load_report.hpp"
#include "scalekit/ops/load_request.hpp"

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

namespace scalekit::ops::detail {

class load_tally {
 public:
  explicit load_tally(const std::vector<std::string>& kinds);

  /// A request was taken up, `late` after it was due.
  void due(std::size_t kind, std::chrono::nanoseconds late);
  void sent(std::size_t kind);
  /// The response came, `service` after the request was sent.
  void answered(std::size_t kind, std::chrono::nanoseconds service);
  /// A request ended, `latency` after it was due; `in_time` says that the schedule still ran.
  void ended(std::size_t kind, load_outcome outcome, std::chrono::nanoseconds latency,
             bool in_time);

  load_counts counts() const;

  /// Fills in rows, rates and lateness; `report.duration` must be set.
  void fill(load_report& report, std::chrono::nanoseconds max_lateness) const;

 private:
  struct kind_row {
    explicit kind_row(std::string n) : name(std::move(n)) {}
    std::string name;
    load_counts counts;
    std::uint64_t ok_in_time = 0;
    histogram latency;
    histogram service;
  };

  std::deque<kind_row> rows_;
  histogram lateness_;
};

}  // namespace scalekit::ops::detail

#include "ops/load_tally.hpp"

#include <algorithm>

namespace scalekit::ops::detail {
namespace {

std::uint64_t& counter(load_counts& counts, load_outcome outcome) {
  switch (outcome) {
    case load_outcome::ok:
      return counts.ok;
    case load_outcome::redirected:
      return counts.redirected;
    case load_outcome::limited:
      return counts.limited;
    case load_outcome::client_error:
      return counts.client_errors;
    case load_outcome::server_error:
      return counts.server_errors;
    case load_outcome::timeout:
      return counts.timeouts;
    case load_outcome::connection_error:
      return counts.connection_errors;
    case load_outcome::dropped:
      break;
  }
  return counts.dropped;
}

void add(load_counts& to, const load_counts& from) {
  to.due += from.due;
  to.sent += from.sent;
  to.ok += from.ok;
  to.redirected += from.redirected;
  to.limited += from.limited;
  to.client_errors += from.client_errors;
  to.server_errors += from.server_errors;
  to.timeouts += from.timeouts;
  to.connection_errors += from.connection_errors;
  to.dropped += from.dropped;
}

load_percentiles percentiles(const histogram_snapshot& of) {
  return {of.p50(), of.p95(), of.p99(), of.p999(), of.max()};
}

/// An answer or a timeout says how long a user waited; a reset after a millisecond does not.
bool says_how_long(load_outcome outcome) {
  return outcome != load_outcome::connection_error && outcome != load_outcome::dropped;
}

double per_second(std::uint64_t n, std::chrono::nanoseconds duration) {
  double seconds = std::chrono::duration<double>(duration).count();
  return seconds > 0 ? static_cast<double>(n) / seconds : 0;
}

}  // namespace

load_tally::load_tally(const std::vector<std::string>& kinds) {
  for (const auto& kind : kinds) rows_.emplace_back(kind);
}

void load_tally::due(std::size_t kind, std::chrono::nanoseconds late) {
  ++rows_[kind].counts.due;
  lateness_.record(late);
}

void load_tally::sent(std::size_t kind) {
  ++rows_[kind].counts.sent;
}

void load_tally::answered(std::size_t kind, std::chrono::nanoseconds service) {
  rows_[kind].service.record(service);
}

void load_tally::ended(std::size_t kind, load_outcome outcome, std::chrono::nanoseconds latency,
                       bool in_time) {
  auto& row = rows_[kind];
  ++counter(row.counts, outcome);
  if (says_how_long(outcome)) row.latency.record(latency);
  if (outcome == load_outcome::ok && in_time) ++row.ok_in_time;
}

load_counts load_tally::counts() const {
  load_counts sum;
  for (const auto& row : rows_) add(sum, row.counts);
  return sum;
}

void load_tally::fill(load_report& report, std::chrono::nanoseconds max_lateness) const {
  histogram_snapshot latency;
  histogram_snapshot service;
  std::uint64_t ok_in_time = 0;
  report.kinds.clear();
  for (const auto& row : rows_) {
    auto row_latency = row.latency.snapshot();
    auto row_service = row.service.snapshot();
    report.kinds.push_back({row.name, row.counts, percentiles(row_latency),
                            percentiles(row_service), per_second(row.ok_in_time, report.duration)});
    latency.merge(row_latency);
    service.merge(row_service);
    ok_in_time += row.ok_in_time;
  }
  report.total = {"total", counts(), percentiles(latency), percentiles(service),
                  per_second(ok_in_time, report.duration)};
  report.intended_rate = per_second(report.total.counts.due, report.duration);
  report.achieved_rate = per_second(report.total.counts.sent, report.duration);
  report.lateness = percentiles(lateness_.snapshot());
  report.generator_saturated = report.lateness.p99 > max_lateness;
}

}  // namespace scalekit::ops::detail

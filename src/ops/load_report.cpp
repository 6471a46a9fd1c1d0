#include "scalekit/ops/load_report.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <string_view>

namespace scalekit::ops {
namespace {

namespace json = boost::json;

double milliseconds(std::chrono::nanoseconds d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

std::string with_digits(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

/// Three digits that say something, from 0.123 to 12345.
std::string short_ms(std::chrono::nanoseconds d) {
  double ms = milliseconds(d);
  return with_digits(ms, ms < 10 ? 2 : ms < 100 ? 1 : 0);
}

struct column {
  std::string_view title;
  std::string (*cell)(const load_row&);
  /// Left out of the table when no row has any.
  std::uint64_t load_counts::*only_if = nullptr;
};

template <std::uint64_t load_counts::*Count>
std::string count(const load_row& row) {
  return std::to_string(row.counts.*Count);
}

template <load_percentiles load_row::*Of, std::chrono::nanoseconds load_percentiles::*P>
std::string time(const load_row& row) {
  return short_ms(row.*Of.*P);
}

using c = load_counts;
using p = load_percentiles;
constexpr std::array columns = {
    column{"requests", [](const load_row& row) { return row.name; }},
    column{"due", count<&c::due>},
    column{"2xx", count<&c::ok>},
    column{"3xx", count<&c::redirected>, &c::redirected},
    column{"429", count<&c::limited>, &c::limited},
    column{"4xx", count<&c::client_errors>, &c::client_errors},
    column{"5xx", count<&c::server_errors>, &c::server_errors},
    column{"timeout", count<&c::timeouts>, &c::timeouts},
    column{"reset", count<&c::connection_errors>, &c::connection_errors},
    column{"dropped", count<&c::dropped>, &c::dropped},
    column{"2xx/s", [](const load_row& row) { return with_digits(row.goodput, 1); }},
    column{"p50 ms", time<&load_row::latency, &p::p50>},
    column{"p95 ms", time<&load_row::latency, &p::p95>},
    column{"p99 ms", time<&load_row::latency, &p::p99>},
    column{"p99.9 ms", time<&load_row::latency, &p::p999>},
    column{"max ms", time<&load_row::latency, &p::max>},
    column{"service p50", time<&load_row::service, &p::p50>},
    column{"p99", time<&load_row::service, &p::p99>},
};

void append_padded(std::string& out, std::string_view text, std::size_t width, bool left) {
  std::string padding(width - std::min(width, text.size()), ' ');
  out.append(left ? "" : "  ").append(left ? "" : padding).append(text);
  if (left) out.append(padding);
}

std::string table(const std::vector<const load_row*>& rows) {
  std::vector<std::string> lines(rows.size() + 1);
  for (const auto& col : columns) {
    auto has_any = [&](const load_row* row) { return row->counts.*col.only_if > 0; };
    if (col.only_if && std::none_of(rows.begin(), rows.end(), has_any)) continue;
    std::vector<std::string> cells{std::string(col.title)};
    for (const auto* row : rows) cells.push_back(col.cell(*row));
    std::size_t width = 0;
    for (const auto& cell : cells) width = std::max(width, cell.size());
    bool left = &col == columns.data();
    for (std::size_t i = 0; i < cells.size(); ++i) append_padded(lines[i], cells[i], width, left);
  }
  std::string text;
  for (const auto& line : lines) text.append(line).append("\n");
  return text;
}

std::string notes(const load_report& report) {
  std::string text = with_digits(std::chrono::duration<double>(report.duration).count(), 1) +
                     " s; " + with_digits(report.intended_rate, 1) + "/s due, " +
                     with_digits(report.achieved_rate, 1) + "/s sent; generator late by " +
                     short_ms(report.lateness.p99) + " ms at p99, " +
                     with_digits(report.generator_cpu * 100, 0) + " % of a processor\n";
  if (report.connect_failures + report.reconnects > 0) {
    text += std::to_string(report.connect_failures) + " failed connects, " +
            std::to_string(report.reconnects) + " reconnects\n";
  }
  if (report.generator_saturated) {
    text +=
        "WARNING: the generator could not keep up; these figures measure it, not the server. "
        "Lower the rate, or give it a processor of its own.\n";
  }
  if (report.stopped) text += "The run was stopped before its end.\n";
  return text;
}

json::object to_value(const load_counts& counts) {
  return {{"due", counts.due},
          {"sent", counts.sent},
          {"ok", counts.ok},
          {"redirected", counts.redirected},
          {"limited", counts.limited},
          {"client_errors", counts.client_errors},
          {"server_errors", counts.server_errors},
          {"timeouts", counts.timeouts},
          {"connection_errors", counts.connection_errors},
          {"dropped", counts.dropped}};
}

json::object to_value(const load_percentiles& of) {
  return {{"p50_ms", milliseconds(of.p50)},
          {"p95_ms", milliseconds(of.p95)},
          {"p99_ms", milliseconds(of.p99)},
          {"p999_ms", milliseconds(of.p999)},
          {"max_ms", milliseconds(of.max)}};
}

json::object to_value(const load_row& row) {
  return {{"name", row.name},
          {"counts", to_value(row.counts)},
          {"goodput", row.goodput},
          {"latency", to_value(row.latency)},
          {"service", to_value(row.service)}};
}

}  // namespace

std::string to_text(const load_report& report) {
  std::vector<const load_row*> rows;
  if (report.kinds.size() > 1) {
    for (const auto& row : report.kinds) rows.push_back(&row);
  }
  rows.push_back(&report.total);
  return table(rows) + notes(report);
}

std::string to_json(const load_report& report) {
  json::array kinds;
  for (const auto& row : report.kinds) kinds.push_back(to_value(row));
  return json::serialize(json::object{
      {"kinds", std::move(kinds)},
      {"total", to_value(report.total)},
      {"duration_ms", milliseconds(report.duration)},
      {"intended_rate", report.intended_rate},
      {"achieved_rate", report.achieved_rate},
      {"lateness", to_value(report.lateness)},
      {"generator_cpu", report.generator_cpu},
      {"generator_saturated", report.generator_saturated},
      {"connect_failures", report.connect_failures},
      {"reconnects", report.reconnects},
      {"stopped", report.stopped},
  });
}

}  // namespace scalekit::ops

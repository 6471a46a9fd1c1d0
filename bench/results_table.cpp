#include "results_table.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <sstream>
#include <stdexcept>

namespace bench {
namespace {

std::string figure(const boost::json::value& v) {
  if (v.is_null()) return "-";
  double d = v.to_number<double>();
  char text[32];
  if (d >= 1e6) {
    std::snprintf(text, sizeof text, "%.1f M", d / 1e6);
  } else if (d >= 1e4) {
    std::snprintf(text, sizeof text, "%.0f k", d / 1e3);
  } else {
    std::snprintf(text, sizeof text, "%.3g", d);
  }
  return text;
}

/// The ratio, or the difference where that is what the case is about.
std::string comparison(const boost::json::object& row) {
  const auto* difference = row.if_contains("difference");
  if (!difference) return figure(row.at("ratio"));
  char text[32];
  std::snprintf(text, sizeof text, "%+.2f", difference->to_number<double>());
  return text;
}

std::string text_of(const boost::json::value& v) {
  return v.is_null() ? "-" : std::string(v.as_string());
}

}  // namespace

std::string results_table(std::istream& lines) {
  std::ostringstream table;
  table << "| case | ours | unit | peer | peer's | ratio | A/A | runs |\n"
           "|---|---:|---|---|---:|---:|---:|---:|\n";
  for (std::string line; std::getline(lines, line);) {
    auto row = boost::json::parse(line).as_object();
    if (row.if_contains("quick")) {
      throw std::runtime_error(text_of(row["case"]) + " was only a quick look");
    }
    const auto* same = row.if_contains("same_ratio");
    table << "| `" << text_of(row["case"]) << "` | " << figure(row["value"]) << " | "
          << text_of(row["unit"]) << " | " << text_of(row["peer"]) << " | "
          << figure(row["peer_value"]) << " | " << comparison(row) << " | "
          << (same ? figure(*same) : "-") << " | " << row["runs"].as_int64() << " |\n";
  }
  return table.str();
}

}  // namespace bench

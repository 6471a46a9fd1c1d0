// Writes docs/benchmarks.md from the JSON lines of a run: bench_report RESULTS.jsonl PAGE.md
// The page's text up to the marker line stays; the table after it is replaced.

#include <boost/json.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr std::string_view marker = "<!-- results: written by scripts/bench --update-docs -->";

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

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: bench_report RESULTS.jsonl PAGE.md\n";
    return 2;
  }
  std::ostringstream table;
  table << "| case | ours | unit | peer | peer's | ratio | runs |\n"
           "|---|---:|---|---|---:|---:|---:|\n";
  std::ifstream results(argv[1]);
  for (std::string line; std::getline(results, line);) {
    auto row = boost::json::parse(line).as_object();
    table << "| `" << text_of(row["case"]) << "` | " << figure(row["value"]) << " | "
          << text_of(row["unit"]) << " | " << text_of(row["peer"]) << " | "
          << figure(row["peer_value"]) << " | " << comparison(row) << " | "
          << row["runs"].as_int64() << " |\n";
  }

  std::string page;
  {
    std::ifstream in(argv[2]);
    page.assign(std::istreambuf_iterator<char>(in), {});
  }
  auto at = page.find(marker);
  if (at == std::string::npos) {
    std::cerr << argv[2] << ": no line '" << marker << "'\n";
    return 1;
  }
  page.resize(at + marker.size());
  std::ofstream(argv[2]) << page << "\n\n" << table.str();
}

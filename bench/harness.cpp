#include "harness.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string_view>
#include <vector>

namespace bench {
namespace {

std::vector<case_spec>& cases() {
  static std::vector<case_spec> all;
  return all;
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  auto mid = v.size() / 2;
  return v.size() % 2 ? v[mid] : (v[mid - 1] + v[mid]) / 2;
}

double worst(const std::vector<double>& v, better direction) {
  const auto [least, most] = std::minmax_element(v.begin(), v.end());
  return direction == better::more ? *least : *most;
}

std::string human(double v) {
  char text[32];
  if (v >= 1e6) {
    std::snprintf(text, sizeof text, "%.2f M", v / 1e6);
  } else if (v >= 1e4) {
    std::snprintf(text, sizeof text, "%.1f k", v / 1e3);
  } else {
    std::snprintf(text, sizeof text, "%.3g", v);
  }
  return text;
}

std::string& traces() {
  static std::string directory;
  return directory;
}

struct outcome {
  double value = 0, peer_value = 0, ratio = 0, difference = 0;
  /// Of the peer to itself; 0 where it was not asked for.
  double same_ratio = 0;
  bool reached = true;
};

outcome run(const case_spec& spec) {
  std::vector<double> ours, peers, again;
  // Once each for warmth, uncounted; then alternating, so that drift hits both alike.
  if (!spec.once) {
    spec.ours();
    if (spec.peer) spec.peer();
  }
  const int runs = spec.once ? 1 : spec.runs;
  for (int i = 0; i < runs; ++i) {
    ours.push_back(spec.ours());
    if (spec.peer) peers.push_back(spec.peer());
    if (spec.peer && spec.twice) again.push_back(spec.peer());
  }
  outcome out;
  out.value = spec.worst ? worst(ours, spec.direction) : median(ours);
  if (spec.peer) {
    out.peer_value = median(peers);
    out.ratio =
        spec.direction == better::more ? out.value / out.peer_value : out.peer_value / out.value;
    out.difference = out.value - out.peer_value;
  }
  if (!again.empty()) out.same_ratio = median(peers) / median(again);
  if (spec.least_ratio > 0) out.reached &= out.ratio >= spec.least_ratio;
  if (spec.least_difference) out.reached &= out.difference >= *spec.least_difference;
  if (spec.least_value) {
    out.reached &= spec.direction == better::more ? out.value >= *spec.least_value
                                                  : out.value <= *spec.least_value;
  }
  return out;
}

std::string with_sign(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%+.2f", v);
  return text;
}

std::string comparison(const case_spec& spec, const outcome& out) {
  if (!spec.peer) return "-";
  return spec.least_difference ? with_sign(out.difference) : human(out.ratio);
}

void print_row(const case_spec& spec, const outcome& out) {
  std::string bar;
  if (spec.least_ratio > 0) bar += "ratio " + human(spec.least_ratio);
  if (spec.least_difference) bar += with_sign(*spec.least_difference);
  if (spec.least_value) bar += (bar.empty() ? "" : ", ") + human(*spec.least_value);
  const auto same = out.same_ratio > 0 ? "; A/A " + human(out.same_ratio) : std::string();
  std::printf("%-28s %12s %-8s %12s %8s  %-18s %s  %s%s\n", spec.name.c_str(),
              human(out.value).c_str(), spec.unit.c_str(),
              spec.peer ? human(out.peer_value).c_str() : "-", comparison(spec, out).c_str(),
              bar.c_str(), out.reached ? "ok  " : "MISS", spec.peer_name.c_str(), same.c_str());
  std::fflush(stdout);
}

std::string json_line(const case_spec& spec, const outcome& out) {
  boost::json::object line{{"case", spec.name}, {"value", out.value}, {"unit", spec.unit}};
  if (spec.peer) {
    line["peer"] = spec.peer_name;
    line["peer_value"] = out.peer_value;
    line["ratio"] = spec.least_difference ? boost::json::value() : out.ratio;
    if (spec.least_difference) line["difference"] = out.difference;
  } else {
    line["peer"] = nullptr;
    line["peer_value"] = nullptr;
    line["ratio"] = nullptr;
  }
  if (out.same_ratio > 0) line["same_ratio"] = out.same_ratio;
  line["runs"] = spec.once ? 1 : spec.runs;
  return boost::json::serialize(line);
}

}  // namespace

void add(case_spec spec) {
  cases().push_back(std::move(spec));
}

const std::string& traces_directory() {
  return traces();
}

double rate(const std::function<void(std::uint64_t)>& batch, double seconds) {
  for (std::uint64_t n = 1000;; n *= 2) {
    auto start = std::chrono::steady_clock::now();
    batch(n);
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (took.count() >= seconds) return static_cast<double>(n) / took.count();
  }
}

}  // namespace bench

int main(int argc, char** argv) {
  std::vector<std::string_view> wanted;
  std::ofstream out;
  int runs = 0;
  bool only_list = false;
  for (int i = 1; i < argc; ++i) {
    std::string_view arg = argv[i];
    if (arg == "--out" && i + 1 < argc) {
      out.open(argv[++i], std::ios::app);
    } else if (arg == "--runs" && i + 1 < argc) {
      runs = std::atoi(argv[++i]);
    } else if (arg == "--traces" && i + 1 < argc) {
      bench::traces() = argv[++i];
    } else if (arg == "--list") {
      only_list = true;
    } else {
      wanted.push_back(arg);
    }
  }
  bench::register_cases();
  for (auto& spec : bench::cases()) {
    bool match = wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](auto prefix) {
                   return spec.name.starts_with(prefix);
                 });
    if (!match) continue;
    if (only_list) {
      std::puts(spec.name.c_str());
      continue;
    }
    if (spec.needs_traces && bench::traces_directory().empty()) {
      std::printf("%-28s not run: it needs --traces DIR\n", spec.name.c_str());
      continue;
    }
    if (runs > 0) spec.runs = runs;
    auto result = bench::run(spec);
    bench::print_row(spec, result);
    if (out.is_open()) out << bench::json_line(spec, result) << '\n' << std::flush;
  }
}

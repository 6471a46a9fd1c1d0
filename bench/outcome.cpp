#include "outcome.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace bench {
namespace {

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

std::string with_sign(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%+.2f", v);
  return text;
}

std::string comparison(const case_spec& spec, const outcome& out) {
  if (!spec.peer) return "-";
  return spec.least_difference ? with_sign(out.difference) : human(out.ratio);
}

std::string bars(const case_spec& spec) {
  std::string text;
  if (spec.least_ratio > 0) text += "ratio " + human(spec.least_ratio);
  if (spec.least_difference) text += with_sign(*spec.least_difference);
  if (spec.least_value) text += (text.empty() ? "" : ", ") + human(*spec.least_value);
  return text;
}

bool reaches_bars(const case_spec& spec, const outcome& out) {
  if (spec.least_ratio > 0 && out.ratio < spec.least_ratio) return false;
  if (spec.least_difference && out.difference < *spec.least_difference) return false;
  if (!spec.least_value) return true;
  return spec.direction == better::more ? out.value >= *spec.least_value
                                        : out.value <= *spec.least_value;
}

}  // namespace

double median(std::vector<double> figures) {
  std::sort(figures.begin(), figures.end());
  const auto mid = figures.size() / 2;
  return figures.size() % 2 != 0 ? figures[mid] : (figures[mid - 1] + figures[mid]) / 2;
}

outcome run(const case_spec& spec) {
  std::vector<double> ours, peers, again;
  // Once each for warmth, uncounted; then alternating, so that drift hits both alike.
  if (!spec.once) {
    spec.ours();
    if (spec.peer) spec.peer();
  }
  outcome out{.runs = spec.once ? 1 : spec.runs};
  out.quick = !spec.once && out.runs < least_runs;
  for (int i = 0; i < out.runs; ++i) {
    ours.push_back(spec.ours());
    if (spec.peer) peers.push_back(spec.peer());
    if (spec.peer && spec.twice) again.push_back(spec.peer());
  }
  out.value = spec.worst ? worst(ours, spec.direction) : median(ours);
  if (spec.peer) {
    out.peer_value = median(peers);
    out.ratio =
        spec.direction == better::more ? out.value / out.peer_value : out.peer_value / out.value;
    out.difference = out.value - out.peer_value;
  }
  if (!again.empty()) out.same_ratio = median(peers) / median(again);
  out.reached = reaches_bars(spec, out);
  return out;
}

std::string table_row(const case_spec& spec, const outcome& out) {
  std::array<char, 512> text{};
  std::snprintf(text.data(), text.size(), "%-28s %12s %-8s %12s %8s %8s  %-18s %s  %s",
                spec.name.c_str(), human(out.value).c_str(), spec.unit.c_str(),
                spec.peer ? human(out.peer_value).c_str() : "-", comparison(spec, out).c_str(),
                out.same_ratio > 0 ? human(out.same_ratio).c_str() : "-", bars(spec).c_str(),
                out.reached ? "ok  " : "MISS", out.quick ? "QUICK LOOK " : "");
  return text.data() + spec.peer_name;
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
  line["runs"] = out.runs;
  if (out.quick) line["quick"] = true;
  return boost::json::serialize(line);
}

}  // namespace bench

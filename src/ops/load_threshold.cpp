#include "scalekit/ops/load_threshold.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

namespace scalekit::ops {
namespace {

enum class measure { time, amount, rate };

struct metric {
  std::string_view name;
  measure what;
  double (*value)(const load_report&);
  /// For amounts: the value in percent of the requests due.
  double (*share)(const load_report&);
};

template <std::chrono::nanoseconds load_percentiles::*P>
double seconds(const load_report& report) {
  return std::chrono::duration<double>(report.total.latency.*P).count();
}

double failed(const load_report& r) {
  return static_cast<double>(r.total.counts.failed());
}
double limited(const load_report& r) {
  return static_cast<double>(r.total.counts.limited);
}

template <double (*Amount)(const load_report&)>
double percent(const load_report& r) {
  return r.total.counts.due == 0 ? 0 : 100 * Amount(r) / static_cast<double>(r.total.counts.due);
}

using p = load_percentiles;
constexpr std::array metrics = {
    metric{"p50", measure::time, seconds<&p::p50>, nullptr},
    metric{"p95", measure::time, seconds<&p::p95>, nullptr},
    metric{"p99", measure::time, seconds<&p::p99>, nullptr},
    metric{"p99.9", measure::time, seconds<&p::p999>, nullptr},
    metric{"max", measure::time, seconds<&p::max>, nullptr},
    metric{"failed", measure::amount, failed, percent<failed>},
    metric{"limited", measure::amount, limited, percent<limited>},
    metric{"goodput", measure::rate, [](const load_report& r) { return r.total.goodput; }, nullptr},
};

[[noreturn]] void refuse(std::string_view text) {
  throw std::invalid_argument("load_threshold is '" + std::string(text) +
                              "'; legal: p50|p95|p99|p99.9|max > 200ms, failed|limited > 3 or "
                              "> 0.1%, goodput < 450");
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// Seconds in a unit of time; 0 for something else.
double seconds_in(std::string_view unit) {
  if (unit == "us") return 1e-6;
  if (unit == "ms") return 1e-3;
  return unit == "s" ? 1 : 0;
}

}  // namespace

load_threshold load_threshold::parse(std::string_view text) {
  auto sign = text.find_first_of("<>");
  if (sign == std::string_view::npos) refuse(text);
  auto name = trim(text.substr(0, sign));
  auto value = trim(text.substr(sign + 1));
  auto found =
      std::find_if(metrics.begin(), metrics.end(), [&](const metric& m) { return m.name == name; });
  load_threshold made;
  auto [rest, failure] = std::from_chars(value.data(), value.data() + value.size(), made.bound_);
  if (found == metrics.end() || failure != std::errc{} || !(made.bound_ >= 0)) refuse(text);
  auto unit = trim(value.substr(static_cast<std::size_t>(rest - value.data())));
  bool is_share = found->what == measure::amount && unit == "%";
  if (found->what == measure::time) {
    made.bound_ *= seconds_in(unit);
    if (seconds_in(unit) == 0) refuse(text);
  } else if (!unit.empty() && !is_share) {
    refuse(text);
  }
  made.text_ = text;
  made.metric_ = is_share ? found->share : found->value;
  made.above_ = text[sign] == '>';
  return made;
}

bool load_threshold::is_crossed(const load_report& report) const {
  double value = metric_(report);
  return above_ ? value > bound_ : value < bound_;
}

}  // namespace scalekit::ops

#include "summary.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <set>

namespace demo {
namespace {

using std::to_string;

constexpr std::size_t label_width = 22;
constexpr std::size_t cell_width = 16;

std::string with_digits(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string ms(std::chrono::nanoseconds d) {
  auto value = std::chrono::duration<double, std::milli>(d).count();
  return with_digits(value, value < 10 ? 2 : 0);
}

std::string left(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

std::string shortened(std::string text, std::size_t most) {
  if (text.size() > most) text.replace(most - 3, std::string::npos, "...");
  return text;
}

using cell = std::function<std::string(const phase_result&)>;

std::string line(const std::string& label, const std::vector<phase_result>& runs,
                 const cell& content) {
  auto text = left(label, label_width);
  for (const auto& run : runs) text += right(content(run), cell_width);
  return text + "\n";
}

std::string hit_ratio(const phase_result& run) {
  if (run.server.cache_lookups <= 0) return "-";
  return with_digits(100 * run.server.cache_hits / run.server.cache_lookups, 1) + " %";
}

}  // namespace

std::string summary_table(const std::vector<phase_result>& runs) {
  auto customers = [](auto what) {
    return [what](const phase_result& run) { return what(run.customers()); };
  };
  using row = scalekit::ops::load_row;
  std::string text = line("", runs, [](const phase_result& run) { return run.title; });
  text += line("customers' requests/s", runs, [](const phase_result& run) {
    auto seconds = std::chrono::duration<double>(run.load.duration).count();
    return with_digits(static_cast<double>(run.customers().counts.due) / seconds, 0);
  });
  text += line("goodput, 2xx/s", runs,
               customers([](const row& r) { return with_digits(r.goodput, 0); }));
  text += line("p50 ms", runs, customers([](const row& r) { return ms(r.latency.p50); }));
  text += line("p95 ms", runs, customers([](const row& r) { return ms(r.latency.p95); }));
  text += line("p99 ms", runs, customers([](const row& r) { return ms(r.latency.p99); }));
  text +=
      line("errors", runs, customers([](const row& r) { return to_string(r.counts.failed()); }));
  text += line("  of these timeouts", runs,
               customers([](const row& r) { return to_string(r.counts.timeouts); }));
  text += line("429s", runs, customers([](const row& r) { return to_string(r.counts.limited); }));
  text += line("abuser: requests", runs,
               [](const phase_result& run) { return to_string(run.abuser().counts.due); });
  text += line("abuser: 429s", runs,
               [](const phase_result& run) { return to_string(run.abuser().counts.limited); });
  text += line("cache hits", runs, hit_ratio);
  std::set<std::string> kinds;
  for (const auto& run : runs) {
    for (const auto& [kind, done] : run.server.jobs_done) {
      if (done > 0) kinds.insert(kind);
    }
  }
  for (const auto& kind : kinds) {
    text += line("jobs done: " + kind, runs, [&](const phase_result& run) {
      auto found = run.server.jobs_done.find(kind);
      return found == run.server.jobs_done.end() ? "-" : to_string(found->second);
    });
  }
  text += line("generator late, p99 ms", runs,
               [](const phase_result& run) { return ms(run.load.lateness.p99); });
  for (const auto& run : runs) {
    if (!run.load.generator_saturated) continue;
    text += "NOTE: in " + run.title + " the generator itself was late; its figures are too high.\n";
  }
  return text;
}

std::string jobs_line(const server_stats& at_end) {
  std::string text = "jobs done in all, with those after the runs:";
  for (const auto& [kind, done] : at_end.jobs_done) text += " " + kind + " " + to_string(done);
  return text + "\n";
}

std::string hosts_section(const std::string& title, const server_stats& stats) {
  if (stats.hosts.empty()) return {};
  std::string text = title + ": database servers\n";
  for (const auto& h : stats.hosts) {
    text += "  " + left(h.name, 20) + left(h.role, 9) + right(to_string(h.reads), 9) + " reads";
    if (h.state.starts_with("unreachable")) {
      text += ", " + h.state.substr(0, h.state.find('\n'));
    } else if (h.lag_ms >= 0) {
      text += ", lag " + with_digits(h.lag_ms, 1) + " ms";
    }
    text += "\n";
  }
  return text;
}

std::string slow_section(const std::string& title, const server_stats& stats) {
  std::string text = title + ": top statements by total time\n";
  text += right("calls", 10) + right("total ms", 10) + right("p95 ms", 9) + "  statement\n";
  for (const auto& s : stats.slowest) {
    text += right(to_string(s.calls), 10) + right(with_digits(s.total_ms, 0), 10) +
            right(with_digits(s.p95_ms, 2), 9) + "  " + shortened(s.sql, 90) + "\n";
  }
  text += "N+1 findings: " + to_string(stats.n_plus_one.size()) + "\n";
  for (const auto& finding : stats.n_plus_one) text += "  " + shortened(finding, 110) + "\n";
  return text;
}

std::string check_list(const std::vector<check>& checks) {
  std::string text;
  for (const auto& one : checks) {
    text += (one.holds ? "  ok      " : "  FAILED  ") + one.promise + " (" + one.evidence + ")\n";
  }
  return text;
}

}  // namespace demo

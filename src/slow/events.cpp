#include "slow/events.hpp"

#include "slow/findings.hpp"

#include <array>
#include <cinttypes>
#include <cstdio>
#include <string>
#include <string_view>

namespace scalekit::slow {
namespace {

std::string in_ms(std::chrono::nanoseconds d) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.3f", static_cast<double>(d.count()) / 1e6);
  return text.data();
}

std::string in_hex(std::uint64_t n) {
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "%016" PRIx64, n);
  return text.data();
}

/// "orders.cpp:42": directories are those of the machine that built it.
std::string place(const std::source_location& where) {
  if (where.line() == 0) return "unknown";
  std::string_view file = where.file_name();
  if (auto slash = file.rfind('/'); slash != std::string_view::npos) file.remove_prefix(slash + 1);
  return std::string(file) + ':' + std::to_string(where.line());
}

std::string_view name_of(outcome how) noexcept {
  switch (how) {
    case outcome::ok:
      return "ok";
    case outcome::error:
      return "error";
    case outcome::timeout:
      return "timeout";
    case outcome::cancelled:
      return "cancelled";
  }
  return "unknown";
}

std::string_view advice(n_plus_one_pattern pattern) noexcept {
  switch (pattern) {
    case n_plus_one_pattern::loop:
      return "with different values: read them in one statement";
    case n_plus_one_pattern::repeat:
      return "with the same values: keep the first result";
    case n_plus_one_pattern::unknown:
      break;
  }
  return "in a loop: read in one statement, or keep the first result";
}

}  // namespace

void report_slow(const log_sink& log, const detail::statement_entry& entry,
                 const counted_call& call, const request_scope& scope,
                 std::chrono::nanoseconds threshold, std::uint64_t suppressed) {
  const auto total = in_ms(call.total);
  auto message = total + " ms (slow from " + in_ms(threshold) + " ms) at " + place(call.where) +
                 ": " + entry.text();
  if (suppressed != 0) message += " (" + std::to_string(suppressed) + " others not logged)";
  log(log_level::warning, "slow.statement", message,
      {{"statement", entry.text()},
       {"fingerprint", in_hex(entry.fingerprint())},
       {"call_site", place(call.where)},
       {"scope", scope.name()},
       {"outcome", name_of(call.how)},
       {"total_ms", total},
       {"wait_ms", in_ms(call.times.wait)},
       {"execute_ms", in_ms(call.times.execute)},
       {"fetch_ms", in_ms(call.times.fetch)},
       {"rows", std::to_string(call.rows)},
       {"suppressed", std::to_string(suppressed)}});
}

void report_n_plus_one(const log_sink& log, const detail::statement_entry& entry,
                       const std::source_location& where, const request_scope& scope,
                       const scope_count& group) {
  if (!log.wants(log_level::warning)) return;
  const auto calls = std::to_string(group.calls);
  const auto message = place(where) + " called one statement " + calls + " times in one request " +
                       std::string(advice(pattern_of(group))) + ": " + entry.text();
  log(log_level::warning, "slow.n_plus_one", message,
      {{"statement", entry.text()},
       {"fingerprint", in_hex(entry.fingerprint())},
       {"call_site", place(where)},
       {"scope", scope.name()},
       {"calls", calls}});
}

void report_overflow(const log_sink& log, std::size_t max_statements) {
  if (!log.wants(log_level::warning)) return;
  const auto limit = std::to_string(max_statements);
  const auto message = "more than " + limit +
                       " different statements: further ones are counted together. Names or lists "
                       "built into SQL text? Otherwise raise max_statements";
  log(log_level::warning, "slow.overflow", message, {{"max_statements", limit}});
}

}  // namespace scalekit::slow

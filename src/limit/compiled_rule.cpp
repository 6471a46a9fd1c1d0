#include "limit/compiled_rule.hpp"

#include "core/require.hpp"
#include "limit/rule_ranges.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace scalekit::limit::detail {
namespace {

constexpr std::size_t most_name = 64;
constexpr std::size_t most_kinds = 4;
constexpr std::chrono::nanoseconds most_fill = std::chrono::years{10};

bool is_token(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

bool has_duplicates(const std::vector<kind>& kinds) {
  for (auto it = kinds.begin(); it != kinds.end(); ++it) {
    if (std::find(kinds.begin(), it, *it) != it) return true;
  }
  return false;
}

std::string text(std::chrono::nanoseconds d) {
  return std::to_string(d.count()) + " ns";
}

}  // namespace

rule checked(rule r) {
  using scalekit::detail::require;
  using scalekit::detail::require_range;
  require(!r.name.empty() && r.name.size() <= most_name && is_token(r.name), "limit::rule::name",
          '"' + r.name + '"', "1 to 64 characters of [A-Za-z0-9._-]");
  auto field = [&r](std::string_view name) {
    return "limit::rule \"" + r.name + "\"::" + std::string{name};
  };

  require(r.by.size() <= most_kinds && !has_duplicates(r.by), field("by"),
          std::to_string(r.by.size()) + " kinds", "0 to 4 different ones");
  require_range(field("limit"), r.limit, std::uint64_t{1}, most_calls);
  require(r.per >= least_per && r.per <= most_per, field("per"), text(r.per),
          "1 microsecond to 366 days");
  require(r.limit <= static_cast<std::uint64_t>(r.per.count()), field("limit"),
          std::to_string(r.limit) + " per " + text(r.per), "at most one call per nanosecond");
  if (r.burst == 0) r.burst = r.limit;
  require_range(field("burst"), r.burst, std::uint64_t{1}, most_calls);
  auto interval = gcra::of(r.limit, r.per.count(), 1).interval;
  require(static_cast<nanos>(r.burst) <= most_fill.count() / interval, field("burst"),
          std::to_string(r.burst) + " at one per " + std::to_string(interval) + " ns",
          "filled in at most 10 years");
  require(r.cost >= 1 && r.cost <= r.burst, field("cost"), std::to_string(r.cost),
          "1 to the burst, " + std::to_string(r.burst));
  require_range(field("max_keys"), r.max_keys, least_keys, most_keys);
  return r;
}

compiled_rule::compiled_rule(const rule& r)
    : rule_(&r),
      by_(r.by),
      only_if_(r.only_if),
      gcra_(gcra::of(r.limit, r.per.count(), r.burst)),
      // One key for all calls needs one cell.
      cells_(std::make_unique<cell_table>(r.by.empty() ? 1 : r.max_keys)) {}

}  // namespace scalekit::limit::detail

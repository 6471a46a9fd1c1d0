#include "db/classify/plan_verdict.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace scalekit::db::detail {
namespace {

namespace json = boost::json;

// Deeper than any plan PostgreSQL's own stack limit lets through; the walk recurses so deep.
constexpr std::size_t deepest_json = 1024;

// LockRows, ModifyTable, Foreign Scan, Custom Scan and Sample Scan are left out on purpose.
constexpr auto reading_nodes = std::to_array<std::string_view>({
    "Aggregate",
    "Append",
    "Bitmap Heap Scan",
    "Bitmap Index Scan",
    "BitmapAnd",
    "BitmapOr",
    "CTE Scan",
    "Function Scan",
    "Gather",
    "Gather Merge",
    "Group",
    "Hash",
    "Hash Join",
    "Incremental Sort",
    "Index Only Scan",
    "Index Scan",
    "Limit",
    "Materialize",
    "Memoize",
    "Merge Append",
    "Merge Join",
    "Nested Loop",
    "ProjectSet",
    "Recursive Union",
    "Result",
    "Seq Scan",
    "SetOp",
    "Sort",
    "Subquery Scan",
    "Table Function Scan",
    "Tid Range Scan",
    "Tid Scan",
    "Unique",
    "Values Scan",
    "WindowAgg",
    "WorkTable Scan",
});
static_assert(std::is_sorted(reading_nodes.begin(), reading_nodes.end()));

// Keys whose texts are words of EXPLAIN's own, or names that say nothing about what is called.
constexpr auto structural_keys = std::to_array<std::string_view>({
    "Alias",
    "CTE Name",
    "Cache Mode",
    "Index Name",
    "Join Type",
    "Node Type",
    "Parent Relationship",
    "Partial Mode",
    "Scan Direction",
    "Schema",
    "Sort Method",
    "Strategy",
    "Subplan Name",
});
static_assert(std::is_sorted(structural_keys.begin(), structural_keys.end()));

template <std::size_t N>
bool has(const std::array<std::string_view, N>& list, std::string_view name) {
  return std::binary_search(list.begin(), list.end(), name);
}

/// Walks the plan; what it meets that is not allowed becomes the reason.
struct walk {
  sql_names& names;
  std::string reason;

  void text(std::string_view key, std::string_view value) {
    if (key == "Node Type") {
      if (!has(reading_nodes, value)) reason = "plan has a node " + std::string(value);
    } else if (key == "Function Name" || key == "Table Function Name") {
      names.calls.emplace(value);
      names.words.emplace(value);
    } else if (key == "Relation Name") {
      names.words.emplace(value);
    } else if (!has(structural_keys, key)) {
      add_names(value, names);
    }
  }

  void value(std::string_view key, const json::value& v) {
    if (const auto* s = v.if_string()) {
      text(key, {s->data(), s->size()});
    } else if (const auto* a = v.if_array()) {
      for (const auto& each : *a) value(key, each);
    } else if (const auto* o = v.if_object()) {
      for (const auto& each : *o) value({each.key().data(), each.key().size()}, each.value());
    }
  }
};

/// The plan in [{"Plan": {...}, ...}]; null if it is not one plan.
const json::value* only_plan(const json::value& root) {
  const auto* plans = root.if_array();
  if (plans == nullptr || plans->size() != 1) return nullptr;
  const auto* explained = plans->front().if_object();
  const auto* plan = explained != nullptr ? explained->if_contains("Plan") : nullptr;
  const auto* node = plan != nullptr ? plan->if_object() : nullptr;
  return node != nullptr && node->contains("Node Type") ? plan : nullptr;
}

}  // namespace

plan_verdict judge_plan(std::string_view explain_json, sql_names& names) {
  json::parse_options options;
  options.max_depth = deepest_json;
  boost::system::error_code failed;
  const auto root = json::parse({explain_json.data(), explain_json.size()}, failed, {}, options);
  if (failed) return {false, "EXPLAIN gave no JSON"};

  const auto* plan = only_plan(root);
  if (plan == nullptr) return {false, "EXPLAIN gave other than one plan"};
  walk found{names, {}};
  found.value("Plan", *plan);
  if (!found.reason.empty()) return {false, found.reason};
  if (names.unreadable) return {false, "plan has an expression that cannot be read"};
  return {true, {}};
}

}  // namespace scalekit::db::detail

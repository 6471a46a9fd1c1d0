#include "db/classify/plan_verdict.hpp"

#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace scalekit::db::detail;
using support::contains;

// The plans are PostgreSQL 15's for the schema of support/postgres/lane_cases.hpp, shortened.

namespace {

constexpr std::string_view ordered_by_random = R"json([
  {
    "Plan": {
      "Node Type": "Result",
      "Parallel Aware": false,
      "Async Capable": false,
      "Output": ["p.id", "volatile_one(p.id)", "(random())"],
      "Plans": [
        {
          "Node Type": "Sort",
          "Parent Relationship": "Outer",
          "Parallel Aware": false,
          "Async Capable": false,
          "Output": ["p.id", "(random())"],
          "Sort Key": ["(random())"],
          "Plans": [
            {
              "Node Type": "Seq Scan",
              "Parent Relationship": "Outer",
              "Relation Name": "product",
              "Schema": "app",
              "Alias": "p",
              "Output": ["p.id", "random()"]
            }
          ]
        }
      ]
}
}
])json";

constexpr std::string_view grouping_sets = R"json([
  {
    "Plan": {
      "Node Type": "Aggregate",
      "Strategy": "Sorted",
      "Partial Mode": "Simple",
      "Output": ["count(*) FILTER (WHERE (lower(product.category) = 'a'::text))", "bad_sum(product.stock)", "product.category"],
      "Grouping Sets": [
        {
          "Group Keys": [
            ["upper(product.category)"],
            []
          ]
        }
      ],
      "Plans": [
        {
          "Node Type": "Seq Scan",
          "Parent Relationship": "Outer",
          "Relation Name": "product",
          "Schema": "app",
          "Alias": "product",
          "Output": ["product.category", "product.stock"]
        }
      ]
}
}
])json";

constexpr std::string_view function_scan = R"json([
  {
    "Plan": {
      "Node Type": "Function Scan",
      "Alias": "generate_series",
      "Output": ["generate_series", "volatile_set"],
      "Function Call": "generate_series(1, 2), volatile_set(1)"
}
}
])json";

constexpr std::string_view policy = R"json([
  {
    "Plan": {
      "Node Type": "Seq Scan",
      "Parallel Aware": false,
      "Async Capable": false,
      "Relation Name": "tenant_row",
      "Schema": "app",
      "Alias": "tenant_row",
      "Output": ["id"],
      "Filter": "(tenant_row.tenant = current_setting('app.tenant'::text, true))"
}
}
])json";

std::string plan_of_node(std::string_view type) {
  return R"([{"Plan": {"Node Type": "Limit", "Plans": [{"Node Type": ")" + std::string(type) +
         R"("}]}}])";
}

}  // namespace

TEST_CASE("a plan that only reads is accepted, its names are collected") {
  sql_names names;

  const auto verdict = judge_plan(policy, names);

  CHECK(verdict.proven);
  CHECK(names.calls == sql_names::name_set{"current_setting"});
  CHECK(names.operators == sql_names::name_set{".", "::", "="});
  CHECK(names.types == sql_names::name_set{"text"});
  CHECK(names.words.contains("tenant_row"));
  CHECK_FALSE(names.words.contains("scan"));
}

TEST_CASE("functions are found wherever in a plan they stand") {
  sql_names names;

  CHECK(judge_plan(ordered_by_random, names).proven);
  CHECK(judge_plan(grouping_sets, names).proven);
  CHECK(judge_plan(function_scan, names).proven);

  for (std::string_view name : {"volatile_one", "random", "count", "lower", "upper", "bad_sum",
                                "generate_series", "volatile_set"}) {
    INFO(name);
    CHECK(names.calls.contains(name));
  }
}

TEST_CASE("an expression under a key of a later version is read too") {
  sql_names names;

  judge_plan(R"json([{"Plan": {"Node Type": "Result", "Some New Key": {"Deep": ["f(1)"]},
                     "Cost": 1.5, "Flag": null}, "Planning": {}}])json",
             names);

  CHECK(names.calls.contains("f"));
}

TEST_CASE("a node that locks, writes, reads elsewhere or is not known is refused by name") {
  for (std::string_view type : {"LockRows", "ModifyTable", "Foreign Scan", "Custom Scan",
                                "Sample Scan", "Node Of A Later Version", ""}) {
    INFO(type);
    sql_names names;

    const auto verdict = judge_plan(plan_of_node(type), names);

    CHECK_FALSE(verdict.proven);
    CHECK(contains(verdict.reason, std::string(type)));
  }
}

TEST_CASE("what is not one plan is refused") {
  for (std::string_view answer :
       {"", "nonsense", "[", "null", "[]", "{}", "[1]", R"([{"Plan": 1}])", R"([{"Plan": {}}])",
        R"(["Utility Statement"])", R"([{"Plan": {"Node Type": "Result"}},
                                        {"Plan": {"Node Type": "Result"}}])",
        R"([{"Plan": {"Node Type": "Result", "Output": ["'open"]}}])"}) {
    INFO(answer);
    sql_names names;

    const auto verdict = judge_plan(answer, names);

    CHECK_FALSE(verdict.proven);
    CHECK_FALSE(verdict.reason.empty());
  }
  sql_names names;
  CHECK_FALSE(judge_plan(std::string(100'000, '['), names).proven);
}

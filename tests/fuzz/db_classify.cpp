#include "db/classify/function_catalogue.hpp"
#include "db/classify/plan_verdict.hpp"
#include "db/classify/sql_names.hpp"
#include "db/classify/statement_class.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Any bytes have a class; what a replica may serve locks nothing, and comments change nothing.

using namespace scalekit::db::detail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view sql(reinterpret_cast<const char*>(data), size);
  const auto c = classify(sql);
  if (c.unreadable && c.kind == statement_kind::read) __builtin_trap();
  const bool any = route_of(c, nullptr) == execute_route::any;
  if (any && (c.locks_rows || !c.functions.empty() || c.unreadable)) __builtin_trap();

  const auto commented = classify("/* select 1; */ " + std::string(sql));
  if (commented.kind != c.kind || commented.functions != c.functions) __builtin_trap();

  sql_names names;
  add_names(sql, names);
  for (const auto& f : c.functions) {
    if (!names.calls.contains(f.name)) __builtin_trap();
  }
  sql_names planned;
  if (judge_plan(sql, planned).proven && planned.unreadable) __builtin_trap();
  return 0;
}

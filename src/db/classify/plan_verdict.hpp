#pragma once

#include "db/classify/sql_names.hpp"

#include <string>
#include <string_view>

namespace scalekit::db::detail {

struct plan_verdict {
  bool proven = false;
  /// Why not, for statistics: names objects of the schema, never values.
  std::string reason;
};

/// Judges the answer to EXPLAIN (VERBOSE, FORMAT JSON, COSTS OFF): whether it is one plan with
/// none but node types that only read. Adds every name in it to `names`, for the catalogue to
/// judge. Keys it does not know are read for names too.
///
/// Any bytes are accepted; throws only std::bad_alloc. Pure.
plan_verdict judge_plan(std::string_view explain_json, sql_names& names);

}  // namespace scalekit::db::detail

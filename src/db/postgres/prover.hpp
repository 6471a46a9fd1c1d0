#pragma once

#include "db/classify/plan_verdict.hpp"
#include "db/postgres/connection.hpp"
#include "scalekit/core/clock.hpp"

#include <optional>

namespace scalekit::db::postgres {

/// Asks the server whether a statement locks nothing and calls nothing volatile, on a connection
/// that nobody else uses meanwhile; see lane_proof. Blocks. Nothing: no verdict by `until`, or the
/// connection broke.
std::optional<detail::plan_verdict> prove(connection& c, const statement_entry_ptr& entry,
                                          time_point until);

}  // namespace scalekit::db::postgres

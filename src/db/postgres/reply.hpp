#pragma once

#include "db/postgres/exchange.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db/detail/backend.hpp"

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>

// What became of an exchange, in the terms of the face.

namespace scalekit::db::postgres {

/// "42P01"; empty where the server said nothing.
std::string sqlstate_of(const exchange& e);

/// True when the server says that a cached plan does not fit any more: forget how the statement was
/// prepared, and outside a transaction run it once more.
bool is_stale_plan(const exchange& e);

/// The error of an exchange that ended as failed, skipped or lost. A write that was lost after it
/// was sent is commit_in_doubt. `origin` names the server.
error error_of(const exchange& e, const std::source_location& site, const std::string& origin,
               bool is_write);

struct reply {
  std::uint64_t rows = 0;
  std::int64_t rows_affected = 0;
};

/// Hands the rows of an exchange that is done to `rows`, which may be null. Throws column_mismatch,
/// value_out_of_range, too_large for a value above `max_value_bytes`, invalid_statement for an empty
/// statement, and what `rows` throws.
reply deliver(const exchange& e, detail::row_sink* rows, std::size_t max_value_bytes);

}  // namespace scalekit::db::postgres

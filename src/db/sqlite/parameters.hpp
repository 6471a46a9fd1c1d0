#pragma once

#include "db/sqlite/handle.hpp"
#include "scalekit/core/value_list.hpp"

#include <string>
#include <vector>

namespace scalekit::db::sqlite {

/// Where the arguments of a statement go: for argument i (from 0), SQLite's index of $i+1. SQLite
/// takes `$1` for a name and numbers parameters in the order of their appearance.
///
/// Throws errc::parameter_mismatch for names, for gaps ($1, $3), and for `$1` mixed with `?`.
std::vector<int> map_parameters(sqlite3_stmt* statement);

/// Binds all values; text and blobs are not copied, so `values` must live until the statement is
/// reset. Throws parameter_mismatch for another number than the statement has, and
/// value_out_of_range for a NaN, which SQLite would turn into null, and for text with a NUL in
/// it, at which SQLite's own functions would cut it; not_supported for an array.
void bind_parameters(sqlite3_stmt* statement, const std::vector<int>& map,
                     const value_list& values);

}  // namespace scalekit::db::sqlite

#pragma once

#include "scalekit/db/bulk.hpp"

#include <cstddef>
#include <string>
#include <vector>

// The statements of bulk writes.

namespace scalekit::db::detail {

/// "\"a\", \"b\""
std::string column_list(const std::vector<std::string>& columns);

/// Inserts `rows` rows at once. Throws errc::invalid_argument for options that do not fit.
std::string insert_text(const bulk_target& into, const insert_options& options, std::size_t rows);

/// Updates `rows` rows at once: the columns that are not in `key`, where those that are agree.
/// Throws errc::invalid_argument where one of the two is empty, or a key is no column.
std::string update_text(const bulk_target& in, const std::vector<std::string>& key,
                        std::size_t rows);

/// How many of the rows that are left the next statement takes, of which none takes more than
/// `most`: one of few numbers, so that few statements are prepared.
std::size_t rows_of_next(std::size_t left, std::size_t most) noexcept;

}  // namespace scalekit::db::detail

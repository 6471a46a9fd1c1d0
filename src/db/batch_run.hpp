#pragma once

#include "scalekit/core/deadline.hpp"
#include "scalekit/db/batch.hpp"
#include "scalekit/db/detail/backend.hpp"

#include <cstdint>

namespace scalekit::db::detail {

/// A write when any of them is.
access kind_of(const batch_members& members) noexcept;

/// By all of them together.
std::int64_t rows_affected(const batch_members& members) noexcept;

/// Runs one after the other, all of them within `until` and the options. What it throws says which
/// has failed.
void run_each(transaction_backend& tx, const batch_members& members, const call_options& options,
              deadline until);

}  // namespace scalekit::db::detail

#pragma once

#include "scalekit/core/error.hpp"

namespace scalekit::queue::detail {

/// What one row that is read can be to blame for: it is damaged, or does not fit into this
/// program's types or limits. Everything else is the database's own trouble.
inline bool is_rows_fault(const error& e) noexcept {
  return e.code() == errc::corrupt || e.code() == errc::value_out_of_range ||
         e.code() == errc::too_large || e.code() == errc::column_mismatch;
}

}  // namespace scalekit::queue::detail

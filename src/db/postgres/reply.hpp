#pragma once

#include "db/postgres/exchange.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db/detail/backend.hpp"

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>
#include <vector>

// What became of an exchange, in the terms of the face.

namespace scalekit::db::postgres {

/// "42P01"; empty where the server said nothing.
std::string sqlstate_of(const exchange& e);

/// True when the server says that a cached plan does not fit any more: forget how the statement was
/// prepared, and outside a transaction run it once more.
bool is_stale_plan(const exchange& e);

/// The error of an exchange that ended as failed, skipped or lost. A write that was lost after it
/// was sent, or with which the server broke down, is commit_in_doubt. `origin` names the server.
error error_of(const exchange& e, const std::source_location& site, const std::string& origin,
               bool is_write);

/// As error_of(), of a read that was run in a transaction of ours that is read only: one that tried
/// to write is not_allowed.
error error_of_read(const exchange& e, const std::source_location& site, const std::string& origin);

/// Reads rows of an exchange that was sent, and hands them to `rows`.
class row_feed {
 public:
  /// Throws column_mismatch.
  row_feed(const exchange& e, detail::row_sink& rows, std::size_t max_value_bytes);

  /// Row `i` of `r`. Throws column_mismatch, value_out_of_range, too_large for a value above
  /// `max_value_bytes`, and what `rows` throws.
  void feed(const PGresult* r, int i);
  std::uint64_t count() const noexcept { return count_; }

 private:
  const std::vector<description::column>& columns_;
  const std::vector<std::size_t>& map_;
  detail::row_sink& rows_;
  std::size_t max_value_bytes_;
  boost::container::small_vector<value_view, 16> row_;
  boost::container::small_vector<std::string, 8> scratch_;
  std::uint64_t count_ = 0;
};

struct reply {
  std::uint64_t rows = 0;
  std::int64_t rows_affected = 0;
};

/// Hands the rows of an exchange that is done to `rows`, which may be null, and lets go of its
/// result, which an idle connection would keep. Throws what row_feed throws, and invalid_statement
/// for an empty statement.
reply deliver(exchange& e, detail::row_sink* rows, std::size_t max_value_bytes);

}  // namespace scalekit::db::postgres

#include "scalekit/db/read_each.hpp"

#include "db/call_site.hpp"
#include "db/content_size.hpp"

#include <string>

namespace scalekit::db::detail {

void stream_meter::count(const value_view* row, std::size_t columns) {
  std::uint64_t size = 0;
  for (std::size_t i = 0; i < columns; ++i) {
    const auto kind = row[i].kind();
    const bool has_content =
        kind == value_kind::text || kind == value_kind::blob || kind == value_kind::array;
    size += has_content ? content_size(row[i]) : 8;
  }
  if (limits_.max_rows != 0 && rows_ == limits_.max_rows) {
    throw error(errc::too_large, "the result has more rows than stream_limits.max_rows, " +
                                     std::to_string(limits_.max_rows));
  }
  if (limits_.max_bytes != 0 && bytes_ + size > limits_.max_bytes) {
    throw error(errc::too_large, "the result is larger than stream_limits.max_bytes, " +
                                     std::to_string(limits_.max_bytes) + "; " +
                                     std::to_string(rows_) + " rows were handed over");
  }
  ++rows_;
  bytes_ += size;
}

error cancelled_between_rows(const std::source_location& site, std::uint64_t rows) {
  return {errc::cancelled, describe(site) + ": cancelled after " + std::to_string(rows) + " rows"};
}

}  // namespace scalekit::db::detail

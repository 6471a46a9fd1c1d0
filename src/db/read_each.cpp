#include "scalekit/db/read_each.hpp"

#include "scalekit/core/array_view.hpp"
#include "scalekit/core/error.hpp"

#include <string>

namespace scalekit::db::detail {

void stream_meter::count(const value_view* row, std::size_t columns) {
  std::uint64_t size = 0;
  for (std::size_t i = 0; i < columns; ++i) {
    switch (row[i].kind()) {
      case value_kind::text:
        size += row[i].text().size();
        break;
      case value_kind::blob:
        size += row[i].blob().size();
        break;
      case value_kind::array:
        size += row[i].array().packed().size();
        break;
      case value_kind::null:
      case value_kind::integer:
      case value_kind::real:
        size += 8;
        break;
    }
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

}  // namespace scalekit::db::detail

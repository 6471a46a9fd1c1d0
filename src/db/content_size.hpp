#pragma once

#include "scalekit/core/array_view.hpp"
#include "scalekit/core/value.hpp"
#include "scalekit/core/value_list.hpp"

#include <cstddef>

namespace scalekit::db::detail {

/// The bytes of a text, a blob or a packed array; 0 for what has none of its own.
inline std::size_t content_size(const value_view& v) noexcept {
  switch (v.kind()) {
    case value_kind::text:
      return v.text().size();
    case value_kind::blob:
      return v.blob().size();
    case value_kind::array:
      return v.array().packed().size();
    case value_kind::null:
    case value_kind::integer:
    case value_kind::real:
      break;
  }
  return 0;
}

/// Of all together.
inline std::size_t content_size(const value_list& values) noexcept {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) sum += content_size(values[i]);
  return sum;
}

}  // namespace scalekit::db::detail

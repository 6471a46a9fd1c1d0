#include "scalekit/core/row.hpp"

#include "scalekit/core/error.hpp"

#include <algorithm>
#include <string>

namespace scalekit {

std::string_view to_string(value_kind kind) noexcept {
  switch (kind) {
    case value_kind::null:
      return "null";
    case value_kind::integer:
      return "integer";
    case value_kind::real:
      return "real";
    case value_kind::text:
      return "text";
    case value_kind::blob:
      return "blob";
    case value_kind::array:
      return "array";
  }
  return "unknown";
}

namespace detail {
namespace {

std::string quoted_list(std::span<const std::string_view> names) {
  std::string list;
  for (auto name : names) {
    if (!list.empty()) list += ", ";
    list.append("'").append(name).append("'");
  }
  return list.empty() ? "none" : list;
}

[[noreturn]] void throw_shape_mismatch(const std::string& what, const row_shape& shape,
                                       std::span<const std::string_view> columns) {
  std::string text = what + "; the result has " + quoted_list(columns) + ", the type wants ";
  text += shape.names == nullptr ? std::to_string(shape.columns) + " by position"
                                 : quoted_list({shape.names, shape.columns});
  throw error(errc::column_mismatch, std::move(text));
}

std::string column_label(const row_shape& shape, std::size_t column) {
  if (shape.names != nullptr) return "column '" + std::string(shape.names[column]) + "'";
  return "column " + std::to_string(column + 1);
}

}  // namespace

std::vector<std::size_t> match_columns(const row_shape& shape,
                                       std::span<const std::string_view> columns) {
  std::vector<std::size_t> order(shape.columns);
  if (shape.names == nullptr) {
    if (columns.size() != shape.columns) {
      throw_shape_mismatch("the number of columns differs", shape, columns);
    }
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    return order;
  }
  for (std::size_t i = 0; i < shape.columns; ++i) {
    auto found = std::find(columns.begin(), columns.end(), shape.names[i]);
    if (found == columns.end()) {
      throw_shape_mismatch("no column '" + std::string(shape.names[i]) + "'", shape, columns);
    }
    if (std::find(found + 1, columns.end(), shape.names[i]) != columns.end()) {
      throw_shape_mismatch("column '" + std::string(shape.names[i]) + "' is there twice", shape,
                           columns);
    }
    order[i] = static_cast<std::size_t>(found - columns.begin());
  }
  for (auto column : columns) {
    auto names = std::span(shape.names, shape.columns);
    if (std::find(names.begin(), names.end(), column) == names.end()) {
      throw_shape_mismatch("column '" + std::string(column) + "' has no member", shape, columns);
    }
  }
  return order;
}

void throw_decode_failure(decode_status status, const row_shape& shape, std::size_t column,
                          value_kind found, std::string_view wanted) {
  std::string text = column_label(shape, column);
  text.append(": ");
  switch (status) {
    case decode_status::ok:
      break;
    case decode_status::wrong_kind:
      text.append("holds ").append(to_string(found)).append(", the member is ").append(wanted);
      throw error(errc::column_mismatch, std::move(text));
    case decode_status::unexpected_null:
      text.append("holds null, the member is ").append(wanted).append(", not an optional");
      throw error(errc::column_mismatch, std::move(text));
    case decode_status::out_of_range:
      text.append("the ").append(to_string(found)).append(" does not fit ").append(wanted);
      throw error(errc::value_out_of_range, std::move(text));
    case decode_status::wrong_element_kind:
      text.append("holds an array whose elements are not those of the member, ").append(wanted);
      throw error(errc::column_mismatch, std::move(text));
    case decode_status::unexpected_null_element:
      text.append("holds an array with a null, the member is ").append(wanted);
      text.append(", not of optionals");
      throw error(errc::column_mismatch, std::move(text));
    case decode_status::element_out_of_range:
      text.append("an element of the array does not fit ").append(wanted);
      throw error(errc::value_out_of_range, std::move(text));
  }
  throw error(errc::backend_error, std::move(text));
}

void throw_not_storable(std::size_t position) {
  throw error(errc::value_out_of_range,
              "parameter $" + std::to_string(position) +
                  ": an unsigned integer above 2^63 - 1 cannot be stored");
}

}  // namespace detail
}  // namespace scalekit

#pragma once

#include "scalekit/core/export.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace scalekit {

/// A blob. Text is std::string.
using bytes = std::vector<std::byte>;

/// What a stored value is, as far as every backend agrees on it.
/// Arrays have one dimension; SQLite stores none.
enum class value_kind : std::uint8_t { null, integer, real, text, blob, array };

/// "null", "integer", "real", "text", "blob" or "array".
SCALEKIT_EXPORT std::string_view to_string(value_kind kind) noexcept;

class array_view;

/// One value of a row or one bound parameter, seen in place.
///
/// Object lifetimes: text, blob and array point into their owner (a row being read, a statement).
class value_view {
 public:
  constexpr value_view() noexcept : integer_(0) {}
  explicit constexpr value_view(std::int64_t v) noexcept
      : integer_(v), kind_(value_kind::integer) {}
  explicit constexpr value_view(double v) noexcept : real_(v), kind_(value_kind::real) {}
  explicit constexpr value_view(std::string_view v) noexcept
      : data_(v.data()), size_(v.size()), kind_(value_kind::text) {}
  explicit value_view(std::span<const std::byte> v) noexcept
      : data_(reinterpret_cast<const char*>(v.data())), size_(v.size()), kind_(value_kind::blob) {}
  explicit value_view(array_view v) noexcept;

  constexpr value_kind kind() const noexcept { return kind_; }
  constexpr bool is_null() const noexcept { return kind_ == value_kind::null; }

  /// Precondition of each: kind() is the one it names.
  constexpr std::int64_t integer() const noexcept { return integer_; }
  constexpr double real() const noexcept { return real_; }
  constexpr std::string_view text() const noexcept { return {data_, size_}; }
  std::span<const std::byte> blob() const noexcept {
    return {reinterpret_cast<const std::byte*>(data_), size_};
  }
  /// Include scalekit/core/array_view.hpp to look into it.
  array_view array() const noexcept;

 private:
  union {
    std::int64_t integer_;
    double real_;
    const char* data_;
  };
  std::size_t size_ = 0;
  value_kind kind_ = value_kind::null;
};

}  // namespace scalekit

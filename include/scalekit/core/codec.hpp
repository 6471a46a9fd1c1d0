#pragma once

#include "scalekit/core/array_view.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/value.hpp"
#include "scalekit/core/value_list.hpp"

#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// How C++ values become stored values and back. Never a silent truncation:
//
// | C++                          | stored  | what does not fit (errc::value_out_of_range)        |
// | ---------------------------- | ------- | --------------------------------------------------- |
// | bool                         | integer | reading anything but 0 and 1                        |
// | integers                     | integer | out of the type's range; storing above 2^63 - 1     |
// | float, double                | real    | an integer read that is not exact; overflow         |
// | std::string, string_view     | text    | (a string_view can only be stored)                  |
// | bytes, span<const std::byte> | blob    | (a span can only be stored)                         |
// | wall_time                    | integer | microseconds since 1970 UTC                         |
// | enums                        | integer | of a described enum: a value it does not name       |
// | std::optional<T>             | T, null |                                                     |
// | std::vector<T>               | array   | (not with SQLite) what does not fit T               |
// | your own, by codec<T>        |         |                                                     |
//
// Reading another kind than the table says, or null into what is not optional, is
// errc::column_mismatch. A double read into a float is rounded; that is what float means.
//
// The elements of a vector are of any type above but a vector: a std::vector<std::optional<T>>
// takes nulls among its elements, a std::vector<T> does not. bytes is a blob, never an array.

namespace scalekit {

/// Specialise it to store a type of your own as a type that can already be stored:
///
///     template <> struct scalekit::codec<money> {
///       using stored = std::int64_t;
///       static stored to_stored(const money& m) { return m.cents; }
///       static money from_stored(stored cents) { return money{cents}; }
///     };
///
/// Both functions may throw; the exception reaches the caller of the statement.
template <class T>
struct codec {};

template <class T>
concept has_codec = requires(const T& value, typename codec<T>::stored stored) {
  { codec<T>::to_stored(value) } -> std::convertible_to<typename codec<T>::stored>;
  { codec<T>::from_stored(std::move(stored)) } -> std::convertible_to<T>;
};

namespace detail {

enum class decode_status {
  ok,
  wrong_kind,
  unexpected_null,
  out_of_range,
  // The same of an element of an array.
  wrong_element_kind,
  unexpected_null_element,
  element_out_of_range,
};

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
inline constexpr bool is_vector = false;
template <class T, class A>
inline constexpr bool is_vector<std::vector<T, A>> = !std::same_as<T, std::byte>;

template <class T>
inline constexpr bool is_character =
    std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
    std::same_as<T, char16_t> || std::same_as<T, char32_t>;

template <class T>
concept stored_integer = std::integral<T> && !std::same_as<T, bool> && !is_character<T>;

template <class T>
inline constexpr bool always_false = false;

template <class T>
constexpr std::string_view type_name() noexcept;

template <class Vector>
inline constexpr auto vector_name = [] {
  constexpr std::string_view element = type_name<typename Vector::value_type>();
  std::array<char, element.size() + 8> name{'v', 'e', 'c', 't', 'o', 'r', '<'};
  *std::copy(element.begin(), element.end(), name.begin() + 7) = '>';
  return name;
}();

/// The C++ type in words, for error texts.
template <class T>
constexpr std::string_view type_name() noexcept {
  if constexpr (is_optional<T>) {
    return type_name<typename T::value_type>();
  } else if constexpr (std::same_as<T, bool>) {
    return "bool";
  } else if constexpr (stored_integer<T>) {
    constexpr std::array<std::string_view, 4> s{"int8", "int16", "int32", "int64"};
    constexpr std::array<std::string_view, 4> u{"uint8", "uint16", "uint32", "uint64"};
    constexpr std::size_t i = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
    return std::signed_integral<T> ? s[i] : u[i];
  } else if constexpr (std::same_as<T, float>) {
    return "float";
  } else if constexpr (std::same_as<T, double>) {
    return "double";
  } else if constexpr (std::same_as<T, std::string>) {
    return "string";
  } else if constexpr (std::same_as<T, bytes>) {
    return "bytes";
  } else if constexpr (std::same_as<T, wall_time>) {
    return "wall_time";
  } else if constexpr (is_vector<T> && !has_codec<T>) {
    return {vector_name<T>.data(), vector_name<T>.size()};
  } else if constexpr (std::is_enum_v<T> && !has_codec<T>) {
    return "enum";
  } else {
    return "a type with a codec";
  }
}

template <class E>
constexpr bool names_enumerator([[maybe_unused]] E value) {
  if constexpr (boost::describe::has_describe_enumerators<E>::value) {
    bool found = false;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>(
        [&](auto d) { found |= d.value == value; });
    return found;
  } else {
    return true;
  }
}

template <stored_integer T>
decode_status decode_integer(const value_view& v, T& out) noexcept {
  if (v.kind() != value_kind::integer) return decode_status::wrong_kind;
  if (!std::in_range<T>(v.integer())) return decode_status::out_of_range;
  out = static_cast<T>(v.integer());
  return decode_status::ok;
}

inline decode_status decode_double(const value_view& v, double& out) noexcept {
  if (v.kind() == value_kind::real) {
    out = v.real();
    return decode_status::ok;
  }
  if (v.kind() != value_kind::integer) return decode_status::wrong_kind;
  constexpr std::int64_t exact = std::int64_t{1} << std::numeric_limits<double>::digits;
  if (v.integer() < -exact || v.integer() > exact) return decode_status::out_of_range;
  out = static_cast<double>(v.integer());
  return decode_status::ok;
}

/// What the status of an element says about its array.
constexpr decode_status of_element(decode_status status) noexcept {
  switch (status) {
    case decode_status::wrong_kind:
      return decode_status::wrong_element_kind;
    case decode_status::unexpected_null:
      return decode_status::unexpected_null_element;
    case decode_status::out_of_range:
      return decode_status::element_out_of_range;
    default:
      return status;
  }
}

template <class T>
decode_status decode(const value_view& v, T& out);

template <class T, class A>
decode_status decode_array(const value_view& v, std::vector<T, A>& out) {
  static_assert(!is_vector<T>, "an array has one dimension");
  if (v.kind() != value_kind::array) return decode_status::wrong_kind;
  const array_view elements = v.array();
  out.clear();
  out.reserve(elements.size());
  for (const value_view element : elements) {
    T value{};
    auto status = decode(element, value);
    if (status != decode_status::ok) return of_element(status);
    out.push_back(std::move(value));
  }
  return decode_status::ok;
}

/// Decodes `v` into `out`; on failure `out` is unspecified.
template <class T>
decode_status decode(const value_view& v, T& out) {
  static_assert(!std::same_as<T, std::string_view>,
                "a row is gone when read() returns: use std::string");
  if constexpr (is_optional<T>) {
    if (v.is_null()) {
      out.reset();
      return decode_status::ok;
    }
    return decode(v, out.emplace());
  } else if constexpr (has_codec<T>) {
    typename codec<T>::stored stored{};
    auto status = decode(v, stored);
    if (status == decode_status::ok) out = codec<T>::from_stored(std::move(stored));
    return status;
  } else {
    if (v.is_null()) return decode_status::unexpected_null;
    if constexpr (std::same_as<T, bool>) {
      if (v.kind() != value_kind::integer) return decode_status::wrong_kind;
      if (v.integer() != 0 && v.integer() != 1) return decode_status::out_of_range;
      out = v.integer() == 1;
    } else if constexpr (stored_integer<T>) {
      return decode_integer(v, out);
    } else if constexpr (std::same_as<T, double>) {
      return decode_double(v, out);
    } else if constexpr (std::same_as<T, float>) {
      double wide = 0;
      if (auto status = decode_double(v, wide); status != decode_status::ok) return status;
      if (std::isfinite(wide) && std::abs(wide) > std::numeric_limits<float>::max()) {
        return decode_status::out_of_range;
      }
      out = static_cast<float>(wide);
    } else if constexpr (std::same_as<T, std::string>) {
      if (v.kind() != value_kind::text) return decode_status::wrong_kind;
      out.assign(v.text());
    } else if constexpr (std::same_as<T, bytes>) {
      if (v.kind() != value_kind::blob) return decode_status::wrong_kind;
      out.assign(v.blob().begin(), v.blob().end());
    } else if constexpr (std::same_as<T, wall_time>) {
      if (v.kind() != value_kind::integer) return decode_status::wrong_kind;
      out = from_micros(v.integer());
    } else if constexpr (is_vector<T>) {
      return decode_array(v, out);
    } else if constexpr (std::is_enum_v<T>) {
      std::underlying_type_t<T> number{};
      if (auto status = decode_integer(v, number); status != decode_status::ok) return status;
      out = static_cast<T>(number);
      if (!names_enumerator(out)) return decode_status::out_of_range;
    } else {
      static_assert(always_false<T>, "no codec: specialise scalekit::codec<T>");
    }
    return decode_status::ok;
  }
}

/// Throws errc::value_out_of_range for the value that would be number `position` (from 1).
[[noreturn]] SCALEKIT_EXPORT void throw_not_storable(std::size_t position);

/// Appends `value` to `to`: a value_list, or the elements of an array, in parameter `position`.
template <class To, class T>
void encode_at(std::size_t position, To& to, const T& value) {
  if constexpr (std::same_as<T, std::nullopt_t> || std::same_as<T, std::nullptr_t>) {
    to.add_null();
  } else if constexpr (std::same_as<T, value_view>) {
    to.add(value);
  } else if constexpr (is_optional<T>) {
    value ? encode_at(position, to, *value) : to.add_null();
  } else if constexpr (has_codec<T>) {
    const typename codec<T>::stored stored = codec<T>::to_stored(value);
    encode_at(position, to, stored);
  } else if constexpr (std::same_as<T, bool>) {
    to.add(std::int64_t{value});
  } else if constexpr (stored_integer<T>) {
    if (!std::in_range<std::int64_t>(value)) throw_not_storable(position);
    to.add(static_cast<std::int64_t>(value));
  } else if constexpr (std::same_as<T, float> || std::same_as<T, double>) {
    to.add(static_cast<double>(value));
  } else if constexpr (std::same_as<T, wall_time>) {
    to.add(to_micros(value));
  } else if constexpr (std::is_enum_v<T>) {
    encode_at(position, to, static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (is_vector<T>) {
    static_assert(std::same_as<To, value_list>, "an array has one dimension");
    to.add_array([&](auto& elements) {
      for (const typename T::value_type& element : value) encode_at(position, elements, element);
    });
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    to.add(std::string_view(value));
  } else if constexpr (std::convertible_to<const T&, std::span<const std::byte>>) {
    to.add(std::span<const std::byte>(value));
  } else {
    static_assert(always_false<T>, "no codec: specialise scalekit::codec<T>");
  }
}

/// Appends `value` to `to`.
template <class T>
void encode(value_list& to, const T& value) {
  encode_at(to.size() + 1, to, value);
}

}  // namespace detail
}  // namespace scalekit

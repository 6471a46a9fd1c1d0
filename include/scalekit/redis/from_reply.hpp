#pragma once

#include "scalekit/core/async.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/redis/reply.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

// How replies become C++ values.
//
// | type                              | legal replies                                            |
// | --------------------------------- | -------------------------------------------------------- |
// | reply                             | any                                                      |
// | done                              | any: the call was made, that is all                      |
// | std::string                       | text, status                                             |
// | integers                          | integer, text that is a decimal number; in range         |
// | double, float                     | integer, text that is a number                           |
// | bool                              | integer 0 or 1, status OK (true), nil (false)            |
// | std::optional<T>                  | nil, what T takes                                        |
// | std::vector<T>, set, unordered_set| array of what T takes                                    |
// | map, unordered_map                | array of keys and values in turn                         |
// | std::pair, std::tuple             | array of exactly so many elements                        |
// | result<T>                         | what T takes, or an error inside an array                |
// | your own                          | what its reply_traits say                                |
//
// Everything else is an error: errc::not_found for nil, errc::column_mismatch for another kind,
// errc::value_out_of_range for a number that does not fit. It names the command, the server and the
// type; never a value.

namespace scalekit::redis {

/// Specialise for your own types: `static std::string name()` for errors, and `static T from(reply
/// r)`, which throws what detail::refuse() throws, or anything of its own.
template <class T>
struct reply_traits;

namespace detail {

/// Throws the scalekit::error for a reply that is no `wanted`.
[[noreturn]] SCALEKIT_EXPORT void refuse(const reply& got, const std::string& wanted);
[[noreturn]] SCALEKIT_EXPORT void refuse_range(const std::string& wanted);
[[noreturn]] SCALEKIT_EXPORT void refuse_size(std::size_t got, const std::string& wanted);
/// Throws what an error inside an array says.
[[noreturn]] SCALEKIT_EXPORT void raise(const reply& refused);

/// Throws for another reply than an integer within the bounds.
SCALEKIT_EXPORT std::int64_t signed_from(const reply& got, std::int64_t least, std::int64_t most,
                                         const std::string& wanted);
SCALEKIT_EXPORT std::uint64_t unsigned_from(const reply& got, std::uint64_t most,
                                            const std::string& wanted);
SCALEKIT_EXPORT double double_from(const reply& got);
SCALEKIT_EXPORT bool bool_from(const reply& got);

inline std::vector<reply> elements_of(reply&& got, const std::string& wanted) {
  if (got.kind != reply_kind::array) refuse(got, wanted);
  return std::move(got.elements);
}

}  // namespace detail

template <class T>
T from_reply(reply&& got) {
  return reply_traits<T>::from(std::move(got));
}

template <>
struct reply_traits<reply> {
  static std::string name() { return "reply"; }
  static reply from(reply&& got) { return std::move(got); }
};

template <>
struct reply_traits<done> {
  static std::string name() { return "done"; }
  static done from(reply&& got) {
    if (got.kind == reply_kind::error) detail::raise(got);
    return {};
  }
};

template <>
struct reply_traits<std::string> {
  static std::string name() { return "text"; }
  static std::string from(reply&& got) {
    if (got.kind != reply_kind::text && got.kind != reply_kind::status) {
      detail::refuse(got, name());
    }
    return std::move(got.text);
  }
};

template <>
struct reply_traits<bool> {
  static std::string name() { return "bool"; }
  static bool from(reply&& got) { return detail::bool_from(got); }
};

template <std::integral T>
struct reply_traits<T> {
  static std::string name() {
    return (std::is_signed_v<T> ? "int" : "uint") + std::to_string(8 * sizeof(T));
  }
  static T from(reply&& got) {
    using limits = std::numeric_limits<T>;
    if constexpr (std::is_signed_v<T>) {
      return static_cast<T>(detail::signed_from(got, limits::min(), limits::max(), name()));
    } else {
      return static_cast<T>(detail::unsigned_from(got, limits::max(), name()));
    }
  }
};

template <std::floating_point T>
struct reply_traits<T> {
  static std::string name() { return "number"; }
  static T from(reply&& got) { return static_cast<T>(detail::double_from(got)); }
};

template <class T>
struct reply_traits<std::optional<T>> {
  static std::string name() { return "optional " + reply_traits<T>::name(); }
  static std::optional<T> from(reply&& got) {
    if (got.kind == reply_kind::nil) return std::nullopt;
    return from_reply<T>(std::move(got));
  }
};

template <class T>
struct reply_traits<result<T>> {
  static std::string name() { return "result of " + reply_traits<T>::name(); }
  static result<T> from(reply&& got) {
    if (got.kind != reply_kind::error) return from_reply<T>(std::move(got));
    try {
      detail::raise(got);
    } catch (const error& e) {
      return e;
    }
  }
};

template <class T>
struct reply_traits<std::vector<T>> {
  static std::string name() { return "array of " + reply_traits<T>::name(); }
  static std::vector<T> from(reply&& got) {
    auto elements = detail::elements_of(std::move(got), name());
    std::vector<T> all;
    all.reserve(elements.size());
    for (auto& each : elements) all.push_back(from_reply<T>(std::move(each)));
    return all;
  }
};

namespace detail {

template <class Set>
struct set_traits {
  using value_type = typename Set::value_type;
  static std::string name() { return "array of " + reply_traits<value_type>::name(); }
  static Set from(reply&& got) {
    Set all;
    for (auto& each : elements_of(std::move(got), name())) {
      all.insert(from_reply<value_type>(std::move(each)));
    }
    return all;
  }
};

template <class Map>
struct map_traits {
  using key = typename Map::key_type;
  using mapped = typename Map::mapped_type;
  static std::string name() {
    return "map of " + reply_traits<key>::name() + " to " + reply_traits<mapped>::name();
  }
  static Map from(reply&& got) {
    auto elements = elements_of(std::move(got), name());
    if (elements.size() % 2 != 0) refuse_size(elements.size(), name());
    Map all;
    for (std::size_t i = 0; i < elements.size(); i += 2) {
      auto k = from_reply<key>(std::move(elements[i]));
      all.insert_or_assign(std::move(k), from_reply<mapped>(std::move(elements[i + 1])));
    }
    return all;
  }
};

template <class Tuple, class Indices>
struct tuple_traits;

template <class Tuple, std::size_t... I>
struct tuple_traits<Tuple, std::index_sequence<I...>> {
  static std::string name() {
    std::string text = "array of (";
    ((text += (I == 0 ? "" : ", ") + reply_traits<std::tuple_element_t<I, Tuple>>::name()), ...);
    return text + ")";
  }
  static Tuple from(reply&& got) {
    auto elements = elements_of(std::move(got), name());
    if (elements.size() != sizeof...(I)) refuse_size(elements.size(), name());
    // In braces: from left to right.
    return Tuple{from_reply<std::tuple_element_t<I, Tuple>>(std::move(elements[I]))...};
  }
};

}  // namespace detail

template <class T, class C>
struct reply_traits<std::set<T, C>> : detail::set_traits<std::set<T, C>> {};
template <class T, class H, class E>
struct reply_traits<std::unordered_set<T, H, E>> : detail::set_traits<std::unordered_set<T, H, E>> {
};
template <class K, class V, class C>
struct reply_traits<std::map<K, V, C>> : detail::map_traits<std::map<K, V, C>> {};
template <class K, class V, class H, class E>
struct reply_traits<std::unordered_map<K, V, H, E>>
    : detail::map_traits<std::unordered_map<K, V, H, E>> {};
template <class A, class B>
struct reply_traits<std::pair<A, B>>
    : detail::tuple_traits<std::pair<A, B>, std::index_sequence<0, 1>> {};
template <class... T>
struct reply_traits<std::tuple<T...>>
    : detail::tuple_traits<std::tuple<T...>, std::index_sequence_for<T...>> {};

}  // namespace scalekit::redis

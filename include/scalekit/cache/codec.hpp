#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace scalekit::cache {

/// How a V becomes the bytes that the tiers keep, and back.
///
/// There are codecs for std::string and std::vector<std::byte> (as they are), for bool, integers,
/// floating point and enums (fixed width, little endian), and in cache/json_codec.hpp for described
/// structs. Specialise it for a type of your own:
///
///     template <> struct scalekit::cache::codec<thumbnail> {
///       static void encode(const thumbnail& value, std::string& out);      // appends
///       static std::optional<thumbnail> decode(std::string_view bytes);    // nullopt: not one
///     };
///
/// decode() meets whatever an older version of the program stored in files: it must check what it
/// reads. nullopt, or an exception, makes the entry a miss, and it is removed and counted.
/// encode() may throw; nothing is stored then.
template <class V>
struct codec {};

template <class V>
concept has_codec = requires(const V& value, std::string& out, std::string_view bytes) {
  codec<V>::encode(value, out);
  { codec<V>::decode(bytes) } -> std::convertible_to<std::optional<V>>;
};

template <>
struct codec<std::string> {
  static void encode(const std::string& value, std::string& out) { out += value; }
  static std::optional<std::string> decode(std::string_view bytes) { return std::string(bytes); }
};

template <>
struct codec<std::vector<std::byte>> {
  static void encode(const std::vector<std::byte>& value, std::string& out) {
    out.append(reinterpret_cast<const char*>(value.data()), value.size());
  }
  static std::optional<std::vector<std::byte>> decode(std::string_view bytes) {
    auto* first = reinterpret_cast<const std::byte*>(bytes.data());
    return std::vector<std::byte>(first, first + bytes.size());
  }
};

template <class V>
  requires std::is_arithmetic_v<V> || std::is_enum_v<V>
struct codec<V> {
  static_assert(std::endian::native == std::endian::little, "files are little endian");

  static void encode(const V& value, std::string& out) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  static std::optional<V> decode(std::string_view bytes) {
    V value{};
    if (bytes.size() != sizeof value) return std::nullopt;
    if constexpr (std::same_as<V, bool>) {
      if (bytes[0] != 0 && bytes[0] != 1) return std::nullopt;
    }
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
};

}  // namespace scalekit::cache

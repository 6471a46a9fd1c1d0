#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <string_view>

namespace scalekit::db::detail {

/// A text and its hash, for maps that are asked several times for the same.
///
/// Object lifetimes: the text must outlive it.
struct hashed_text {
  template <class Text>
    requires std::convertible_to<const Text&, std::string_view>
  hashed_text(const Text& what) noexcept  // NOLINT: implicit by intent
      : text(what), hash(std::hash<std::string_view>{}(text)) {}

  friend bool operator==(const hashed_text& a, const hashed_text& b) noexcept {
    return a.hash == b.hash && a.text == b.text;
  }

  std::string_view text;
  std::size_t hash;
};

/// The hash of a map by hashed_text.
struct known_hash {
  std::size_t operator()(const hashed_text& key) const noexcept { return key.hash; }
};

}  // namespace scalekit::db::detail

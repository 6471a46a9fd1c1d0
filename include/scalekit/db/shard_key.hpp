#pragma once

#include "scalekit/core/export.hpp"

#include <compare>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace scalekit::db {

/// What says on which shard a row lies: a number or a text. Texts are ordered by their bytes, as
/// PostgreSQL's collation "C" and SQLite's "binary" do it. A map has keys of one kind only.
class SCALEKIT_EXPORT shard_key {
 public:
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  shard_key(T number)  // NOLINT: implicit by intent
      : value_(in_range(std::in_range<std::int64_t>(number), static_cast<std::int64_t>(number))) {}

  /// Throws errc::invalid_argument for a text with a NUL in it, which PostgreSQL cannot store.
  shard_key(std::string text);                                        // NOLINT: as above
  shard_key(std::string_view text) : shard_key(std::string(text)) {}  // NOLINT: as above
  shard_key(const char* text) : shard_key(std::string(text)) {}       // NOLINT: as above

  bool is_text() const noexcept { return value_.index() == 1; }
  /// Precondition of each: is_text() says so.
  std::int64_t number() const noexcept { return *std::get_if<0>(&value_); }
  const std::string& text() const noexcept { return *std::get_if<1>(&value_); }

  friend bool operator==(const shard_key&, const shard_key&) = default;
  friend std::strong_ordering operator<=>(const shard_key&, const shard_key&) = default;

 private:
  /// Throws errc::value_out_of_range above 2^63 - 1.
  static std::int64_t in_range(bool fits, std::int64_t number);

  std::variant<std::int64_t, std::string> value_;
};

/// Keys from one, included, to another, excluded. Without one of the two it has no end there.
struct shard_range {
  std::optional<shard_key> from = {};
  std::optional<shard_key> to = {};

  bool contains(const shard_key& key) const noexcept {
    return (!from || *from <= key) && (!to || key < *to);
  }
  friend bool operator==(const shard_range&, const shard_range&) = default;
};

/// "[100, 200)", "(all)": for messages. Bounds are configuration; a user's key is never shown.
SCALEKIT_EXPORT std::string to_string(const shard_range& range);

/// The place of a key among `buckets`: what shard_map::by_hash() goes by, and what a table that is
/// to be moved between hashed shards keeps in a column. Version 1, and part of the data once a row
/// lies by it: FNV-1a with 64 bits over the key's bytes (a number: 8, little-endian), mixed by
/// MurmurHash3's 64-bit finalizer, modulo `buckets`, which is 1 at least.
SCALEKIT_EXPORT std::int64_t shard_bucket(const shard_key& key, std::int64_t buckets) noexcept;

}  // namespace scalekit::db

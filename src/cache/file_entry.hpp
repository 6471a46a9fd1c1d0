#pragma once

#include "cache/fence.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace scalekit::cache::detail {

/// One entry as it stands in a file. Times are wall clock microseconds.
///
/// Format 3, little endian: magic "skcache\n" (8), format (2), flags (1), type length (1), key
/// length (4), value length (8), epoch (8), sequence (8), created (8), fresh until (8), expires
/// (8), memory ttl in microseconds (8), checksum (8); then type, key, seal and value. The checksum
/// is XXH64 over the value, seeded with XXH64 over all the rest, so that a value can be streamed
/// last. Flags, from bit 0: negative, compressed, sealed. The seal is 32 bytes or nothing. The
/// file's length is exactly that of its parts. Format 1 had no "fresh until", format 2 no seal.
struct file_entry {
  std::string_view type;
  std::string_view key;
  /// As it stands there: compressed or not.
  std::string_view value;
  /// What entry_format makes of a secret; empty, or seal_bytes.
  std::string_view seal;
  fill_token token;
  std::int64_t created_us = 0;
  /// From here on it is stale.
  std::int64_t fresh_until_us = 0;
  /// From here on it is dead.
  std::int64_t expires_us = 0;
  std::int64_t memory_ttl_us = 0;
  bool negative = false;
  bool compressed = false;
};

inline constexpr std::size_t file_header_bytes = 80;
inline constexpr std::size_t seal_bytes = 32;

/// Why bytes are not an entry.
enum class file_fault {
  truncated,
  foreign,
  other_version,
  inconsistent,
  checksum,
  /// Not sealed with a secret of the reader's.
  seal,
  /// Its value cannot be decompressed, or not here.
  compression,
};

const char* to_string(file_fault fault) noexcept;

/// Everything before the value. Precondition: lengths fit their fields.
std::string encode_prefix(const file_entry& entry);

/// What a seal is made of, but for the value: everything before the checksum, type and key. The
/// same before and after it is sealed.
std::string encode_sealed(const file_entry& entry);

/// The entry in `bytes`, whose views point into them. Reads nothing beyond them, whatever they are.
std::variant<file_entry, file_fault> parse_file_entry(std::string_view bytes) noexcept;

}  // namespace scalekit::cache::detail

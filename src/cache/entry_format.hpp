#pragma once

#include "cache/file_entry.hpp"
#include "core/sha256.hpp"
#include "scalekit/cache/store_params.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace scalekit::cache::detail {

/// How entries are kept outside of the process: compressed where that pays, and sealed where the
/// store has a secret. The seal is HMAC-SHA-256, keyed with that of the namespace under the secret,
/// over everything before the checksum, type, key and the SHA-256 of the value as it stands there.
///
/// Thread safety: all members may be called from any thread.
class entry_format {
 public:
  explicit entry_format(const store_params& params);

  /// What a packed entry points into, besides the entry.
  struct buffer {
    std::string value;
    scalekit::detail::sha256_digest seal;
  };
  file_entry pack(const file_entry& entry, buffer& into) const;

  /// As parse_file_entry(), and of this store's secrets, if it has any.
  std::variant<file_entry, file_fault> parse(std::string_view bytes) const;

  /// Puts the value of `entry` in the place of `bytes`, at whose end it stands. `entry` points
  /// nowhere then.
  std::optional<file_fault> unpack(std::string& bytes, const file_entry& entry) const;

 private:
  bool is_sealed(const file_entry& entry) const;

  std::size_t compress_from_;
  std::size_t max_value_bytes_;
  /// The present one and the one before; empty for none.
  std::string key_, previous_key_;
};

}  // namespace scalekit::cache::detail

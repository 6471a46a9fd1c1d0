#pragma once

#include "cache/file_entry.hpp"
#include "scalekit/core/random.hpp"

#include <cstddef>
#include <string>
#include <string_view>

// What stands under a key of a shared server: one letter, the epoch of the namespace in which it
// was put there, and
// - 'V': an entry, as in a file (file_entry.hpp);
// - 'P': a random token, in the place of a value that is being loaded.
// An epoch is 8 random bytes under a key of its own. What is of another epoch is dead: clear() is
// a new epoch, and so is the loss of the old one. Random and not counted, for a count that was lost
// would begin anew and bring back to life what was dead.

namespace scalekit::cache::detail {

inline constexpr std::size_t epoch_bytes = 8;
inline constexpr std::size_t token_bytes = 16;
inline constexpr char value_letter = 'V';
inline constexpr char placeholder_letter = 'P';
inline constexpr std::size_t frame_bytes = 1 + epoch_bytes;

enum class frame_kind { value, placeholder, foreign };

struct shared_frame {
  frame_kind kind = frame_kind::foreign;
  std::string_view epoch;
  /// Of a value.
  std::string_view entry;
};

/// Reads nothing beyond `bytes`, whatever they are; the views point into them.
shared_frame parse_frame(std::string_view bytes) noexcept;

/// Whether `bytes` are to be shown to a reader in `epoch`: a value or placeholder of it, or what is
/// neither.
bool is_alive(std::string_view bytes, std::string_view epoch) noexcept;

bool is_epoch(std::string_view bytes) noexcept;

/// For an epoch or a token.
std::string random_bytes(random_generator& from, std::size_t size);

std::string make_value(std::string_view epoch, std::string_view entry);
std::string make_placeholder(std::string_view epoch, std::string_view token);

/// So much of a value or a placeholder as tells it from anything else that was ever put there: the
/// header of an entry has the time and a checksum in it. Empty for what is too short for that.
inline constexpr std::size_t identity_bytes = frame_bytes + file_header_bytes;
std::string_view identity_of(std::string_view bytes) noexcept;

/// Whether `bytes` are what `identity` was taken from.
bool is_same(std::string_view bytes, std::string_view identity) noexcept;

}  // namespace scalekit::cache::detail

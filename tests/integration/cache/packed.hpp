#pragma once

// Entries that are compressed and sealed.

#include "scalekit/cache.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

namespace cache_test {

inline const scalekit::cache::entry_params packed{.compress_from = 64,
                                                  .secret = std::string(32, 's')};
inline const std::string text(100'000, 'a');

/// What a store finds of what another, with other entries, has set.
inline std::optional<std::string> carried(scalekit::cache::store_params place,
                                          const scalekit::cache::entry_params& writer,
                                          const scalekit::cache::entry_params& reader) {
  place.entries = writer;
  scalekit::cache::store::open(place).set("a", text, scalekit::cache::ttl::product);
  place.entries = reader;
  return scalekit::cache::store::open(place).get<std::string>("a").value;
}

/// `place` has no other entries of its own.
inline void check_secrets(const scalekit::cache::store_params& place) {
  auto other = packed, changed = packed;
  other.secret = std::string(32, 'o');
  changed.secret = other.secret;
  changed.previous_secret = packed.secret;
  CHECK(carried(place, packed, packed) == text);
  CHECK(carried(place, packed, {}) == text);
  CHECK(carried(place, packed, changed) == text);
  CHECK_FALSE(carried(place, packed, other));
  CHECK_FALSE(carried(place, {}, packed));
}

}  // namespace cache_test

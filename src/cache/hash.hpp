#pragma once

#include <cstdint>
#include <string_view>

namespace scalekit::cache::detail {

/// XXH64 (the published algorithm, github.com/Cyan4973/xxHash, doc/xxhash_spec.md): what is
/// written to disk, checksums and file names, so that it is the same in every process and version.
std::uint64_t xxh64(std::string_view bytes, std::uint64_t seed) noexcept;

/// Fast hash for tables in memory: 64 x 64 -> 128 bit multiplications, both halves folded. Seeded,
/// so that whoever chooses keys cannot choose collisions. Never stored.
std::uint64_t key_hash(std::string_view key, std::uint64_t seed) noexcept;

}  // namespace scalekit::cache::detail

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

/// Hits of Caffeine with room for `capacity` entries, which replays the keys in a process of its
/// own. Throws std::runtime_error, also when it was not made ready by bench/peers/caffeine/get.
std::uint64_t caffeine_hits(const std::vector<std::uint64_t>& keys, std::size_t capacity);

}  // namespace bench

#pragma once

#include "redis/place.hpp"
#include "scalekit/core/result.hpp"
#include "scalekit/redis/reply.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

// What the nodes of a cluster say of who has which slot. All of it is checked: it decides where
// passwords and data are sent.

namespace scalekit::redis::detail {

/// Those who have the same slots.
struct shard_places {
  place master;
  std::vector<place> replicas = {};
};

struct slot_range {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  /// Which of the shards.
  std::size_t shard = 0;
};

struct slot_map {
  std::vector<shard_places> shards = {};
  /// No slot is in two of them; some may be in none.
  std::vector<slot_range> ranges = {};
};

/// Reads the answer of `asked` to CLUSTER SLOTS. A node without a host is at the host that was
/// asked. An error says what is wrong, and nothing of what came.
result<slot_map> slot_map_from(const reply& answer, const place& asked);

/// Another node than the one that was asked has a slot.
struct redirect {
  std::uint16_t slot = 0;
  place to;
};

/// Reads what follows MOVED or ASK: "3999 10.0.0.9:6381". Nothing: it is no such thing.
std::optional<redirect> redirect_from(std::string_view said, const place& asked);

}  // namespace scalekit::redis::detail

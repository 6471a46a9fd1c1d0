#pragma once

#include "scalekit/redis/script.hpp"

// What a Redis server does in one step. The layout of what stands there is in shared_frame.hpp:
// a letter, the epoch in bytes 2 to 9, the rest.

namespace scalekit::cache::detail {

/// KEYS: epoch, entry. ARGV: a new epoch, a token, the lease in ms.
/// Returns the epoch and what stands there now; less where the server takes no writes.
const redis::script& claim_script();

/// KEYS: epoch, entry. ARGV: what is expected, the entry, its ttl in ms. Returns 1, or 0 where
/// something else stands there.
const redis::script& fill_script();

/// KEYS: epoch, entries. ARGV: a new epoch, then ttl in ms and bytes of each. Returns 1 for each
/// that is there, and 0 for each that was refused, of which nothing is left.
const redis::script& put_script();

}  // namespace scalekit::cache::detail

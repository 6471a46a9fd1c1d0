#pragma once

#include "scalekit/redis/detail/gathering.hpp"
#include "scalekit/redis/detail/request.hpp"
#include "scalekit/redis/reply.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

// MGET, MSET, DEL, UNLINK, EXISTS and TOUCH with keys of several slots, which no node of a cluster
// runs: one command a slot, and one answer of theirs.

namespace scalekit::redis::detail {

enum class split_kind : std::uint8_t { none, values, pairs, numbers };

/// By the command's name.
split_kind split_kind_of(const request& what) noexcept;

struct split_part {
  request what;
  /// Of its keys, among those of the whole.
  std::vector<std::size_t> keys = {};
};

/// Precondition: it can be split.
std::vector<split_part> split_by_slot(const request& what);

/// Makes one answer of those to `parts`. Throws the worst failure (one in doubt, else the first),
/// and says how much was done all the same.
reply join(const request& what, const std::vector<split_part>& parts,
           std::vector<call_outcome>&& outcomes);

}  // namespace scalekit::redis::detail

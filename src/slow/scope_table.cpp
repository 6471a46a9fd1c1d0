#include "slow/scope_table.hpp"

#include <algorithm>

namespace scalekit::slow {

scope_count scope_table::count(std::uint64_t key, std::uint64_t bind_hash,
                               time_point now) noexcept {
  auto& home = (*shards_)[key % 64];
  std::lock_guard lock(home.mutex);
  auto& ways = home.sets[key / 64 % 16];
  auto found = std::find_if(ways.begin(), ways.end(), [&](const group& g) { return g.key == key; });
  if (found == ways.end()) {
    found = std::min_element(ways.begin(), ways.end(),
                             [](const group& a, const group& b) { return a.last < b.last; });
    *found = group{key, {}, {}};
  } else if (now - found->last > window_) {
    found->so_far = {};
  }
  found->last = now;
  auto& so_far = found->so_far;
  ++so_far.calls;
  if (bind_hash != 0)
    so_far.bind_bits |= std::uint64_t{1} << (bind_hash * 0x9e3779b97f4a7c15 >> 58);
  return so_far;
}

}  // namespace scalekit::slow

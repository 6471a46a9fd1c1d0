#pragma once

namespace bench {

/// Adds `cache.hit_ratio.TRACE.SIZE`: our hit ratio and Caffeine's for the same keys with room for
/// the same number of entries.
void register_hit_ratios();

}  // namespace bench

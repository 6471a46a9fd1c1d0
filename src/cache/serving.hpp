#pragma once

#include "scalekit/cache/detail/typed_call.hpp"
#include "scalekit/cache/policy.hpp"

#include <algorithm>

// Decisions about what is served. No clock in here: all is told.

namespace scalekit::cache::detail {

/// What a lookup that has a loader does with what it found.
enum class serving {
  /// It is the answer.
  serve,
  /// It is the answer, and time to load it anew.
  serve_and_refresh,
  /// It is the answer only if loading gives none, or not in time.
  load_or_serve,
  /// It is no answer.
  load,
};

/// What to do with `found`. `failed_of_late`: a load of the key has failed, and it is not yet time
/// to try again.
///
/// | found    | for how long                           | failed of late | else              |
/// |----------|----------------------------------------|----------------|-------------------|
/// | negative |                                        | serve          | serve             |
/// | fresh    | less than refresh_ahead of its ttl     | serve          | serve             |
/// |          | longer                                 | serve          | serve_and_refresh |
/// | stale    | less than stale_while_refreshing       | serve          | serve_and_refresh |
/// |          | less than stale_for                    | serve          | load_or_serve     |
/// |          | longer (kept by another policy)        | load           | load              |
/// | miss     |                                        | load           | load              |
inline serving decide(const policy& how, const raw_lookup& found, bool failed_of_late) noexcept {
  switch (found.freshness) {
    case freshness::miss:
      return serving::load;
    case freshness::negative:
      return serving::serve;
    case freshness::fresh: {
      if (how.refresh_ahead <= 0 || failed_of_late) return serving::serve;
      // A copy that memory keeps for memory_ttl has less left than the value itself.
      const auto life = std::max(found.age + found.left, how.ttl);
      const double due = how.refresh_ahead * static_cast<double>(life.count());
      return static_cast<double>(found.age.count()) < due ? serving::serve
                                                          : serving::serve_and_refresh;
    }
    case freshness::stale:
      break;
  }
  const auto stale_since = -found.left;
  if (stale_since >= how.stale_for) return serving::load;
  if (failed_of_late) return serving::serve;
  return stale_since < how.stale_while_refreshing ? serving::serve_and_refresh
                                                  : serving::load_or_serve;
}

}  // namespace scalekit::cache::detail

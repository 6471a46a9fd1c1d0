#pragma once

#include <chrono>
#include <string_view>

namespace scalekit::cache {

/// How long values of one type are kept. The type's name groups the statistics.
struct policy {
  /// Name of the type, 1 to 64 bytes; keep the names few: statistics tell the first 64 apart. The
  /// text must outlive the calls it is given to; a literal does.
  std::string_view type = "default";

  /// How long a value is served after it was stored. Default 15 min. Range 1 ms to 366 days.
  std::chrono::milliseconds ttl = std::chrono::minutes(15);

  /// How long the memory tier keeps its copy before it asks the next tier again. It bounds how
  /// long this process may serve what another process has changed, as fresh or as stale, unless it
  /// hears of that (store_params::shared_coherence). Default 0: as long as the value is kept, for
  /// `ttl` and `stale_for`. Range 0 to 366 days.
  std::chrono::milliseconds memory_ttl = std::chrono::milliseconds(0);

  /// Each stored ttl is varied by up to this share, both ways, so that what was loaded together
  /// does not expire together. Default 0.1. Range 0 to 0.9.
  double jitter = 0.1;

  /// How long it is remembered that a loader said "absent" (std::nullopt). Default 0: not at all.
  /// Range 0 to 366 days.
  std::chrono::milliseconds negative_ttl = std::chrono::milliseconds(0);

  /// How long past its ttl a value is kept, to be served as freshness::stale in place of an error:
  /// when a load throws, takes longer than `load_timeout`, `soft_timeout` or the call's timeout, or
  /// failed less than `retry_after` ago. Never after its key was set or erased. Absence is never
  /// served stale. Default 0: not at all. Range 0 to 366 days.
  std::chrono::milliseconds stale_for = std::chrono::milliseconds(0);

  /// Stale-while-revalidate: for so long past its ttl a value is served at once, as stale, while
  /// one load refreshes it; see store::get_or_load() for where that runs. Default 0: callers wait
  /// for the load. Range 0 to `stale_for`.
  std::chrono::milliseconds stale_while_refreshing = std::chrono::milliseconds(0);

  /// The longest that a caller waits for a load while there is a stale value to serve; the load
  /// goes on. A loader on the calling thread holds its own caller up all the same. Default 0: as
  /// long as the load or the call's timeout lasts. Range 0 to 24 h; needs `stale_for`.
  std::chrono::milliseconds soft_timeout = std::chrono::milliseconds(0);

  /// The longest that a load may take. Then it is asked to stop (load_context::stop), what it
  /// returns later is not kept, and those who wait for it get what is stale, else
  /// errc::execution_timeout. Default 0: no limit of its own. Range 0 to 24 h.
  std::chrono::milliseconds load_timeout = std::chrono::milliseconds(0);

  /// For so long after a load failed no other is begun for a key that still has a value to serve.
  /// Each process counts for itself. Default 5 s: what is down is asked once in a while, not by
  /// every caller. Range 1 ms to 366 days; matters with `stale_for` or `refresh_ahead` only.
  std::chrono::milliseconds retry_after = std::chrono::seconds(5);

  /// Early refresh: a hit on a value that has lived this share of its ttl is served, and starts one
  /// load in the background, so that what is popular never expires. Only async_ calls and owned()
  /// loaders do that. Default 0: off. Range 0 to 0.99; 0.8 is a good value.
  double refresh_ahead = 0;
};

/// Policies for the usual types of a shop. Copy and change one for your own.
namespace ttl {
using namespace std::chrono_literals;

inline constexpr policy product{.type = "product", .ttl = 30min};
inline constexpr policy user{.type = "user", .ttl = 10min};
inline constexpr policy order{.type = "order", .ttl = 5min};
inline constexpr policy dashboard{.type = "dashboard", .ttl = 2min};
inline constexpr policy reference{.type = "reference", .ttl = 1h};
inline constexpr policy query{.type = "query", .ttl = 15min};

}  // namespace ttl
}  // namespace scalekit::cache

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
  /// long this process may serve what another process has changed. Default 0: as long as `ttl`.
  /// Range 0 to 366 days; never longer than what is left of `ttl`.
  std::chrono::milliseconds memory_ttl = std::chrono::milliseconds(0);

  /// Each stored ttl is varied by up to this share, both ways, so that what was loaded together
  /// does not expire together. Default 0.1. Range 0 to 0.9.
  double jitter = 0.1;

  /// How long it is remembered that a loader said "absent" (std::nullopt). Default 0: not at all.
  /// Range 0 to 366 days.
  std::chrono::milliseconds negative_ttl = std::chrono::milliseconds(0);
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

#pragma once

#include "scalekit/limit/rule.hpp"

#include <chrono>
#include <cstdint>

namespace scalekit::limit {

enum class outcome : std::uint8_t {
  allowed,
  /// Over a limit. Nothing was consumed, under no rule.
  denied,
  /// The cost is larger than the burst of a rule: no waiting will help. Nothing was consumed.
  never_fits,
};

/// The answer to one call, and what the client should be told. A small value.
///
/// Object lifetimes: `by` points into the limiter.
struct decision {
  outcome result = outcome::allowed;

  /// The rule that decided. Denied: of the rules that refused, the one with the longest wait.
  /// Never fits: the first such rule. Allowed: the rule with the least remaining; null when no
  /// rule applied to the call, and then all figures below are zero.
  const rule* by = nullptr;

  /// by->limit.
  std::uint64_t limit = 0;

  /// What may still be spent at once, in units of cost, after this call.
  std::uint64_t remaining = 0;

  /// From this call until the key has its whole burst again, if nothing more is spent.
  std::chrono::nanoseconds reset_after{0};

  /// Denied: from this call until the same call is allowed if nothing else is spent meanwhile,
  /// exact to the nanosecond: refused just before, allowed at it. Zero otherwise.
  std::chrono::nanoseconds retry_after{0};

  bool allowed() const noexcept { return result == outcome::allowed; }
};

}  // namespace scalekit::limit

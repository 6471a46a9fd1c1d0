#pragma once

#include "scalekit/limit/identity.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace scalekit::limit {

/// A rule applies only to calls that carry this identity with exactly this text.
struct condition {
  kind what;
  std::string value;
};

/// `limit` calls per `per` for each identity, with bursts of up to `burst` at once.
///
/// The engine is GCRA (a token bucket that stores one time stamp): a key starts with `burst` calls
/// to spend and regains one every `per / limit`. Over any stretch of time of length t it admits at
/// most burst + t * limit / per: with the default burst that is up to twice `limit` within one
/// window, when an idle client spends its burst and then keeps drawing. Where `limit` must hold
/// for every window, set limit and burst to half of it each.
struct rule {
  /// Appears in decisions and response headers: 1 to 64 characters of [A-Za-z0-9._-], unique in
  /// its limiter.
  std::string name = {};

  /// The identities that are counted, together as one key: {"ip"} counts every address,
  /// {"user", "endpoint"} every pair. The rule applies to calls that carry all of them. Empty: one
  /// key shared by all calls. At most 4, no kind twice.
  std::vector<kind> by = {};

  /// Calls per `per`. 1 to 1,000,000,000, and at most one per nanosecond.
  std::uint64_t limit = 0;

  /// 1 microsecond to 366 days. The gap between two calls, per / limit, is rounded up to whole
  /// nanoseconds: never more than asked for.
  std::chrono::nanoseconds per = std::chrono::minutes{1};

  /// How much may be spent at once by a key that was idle. 1 to 1,000,000,000; 0, the default,
  /// means `limit`. burst * per / limit, the time from empty to full, is at most 10 years.
  std::uint64_t burst = 0;

  /// What one call costs under this rule, multiplied by the cost given to check(). 1 to `burst`.
  std::uint32_t cost = 1;

  /// All must hold; empty (the default): every call that carries `by`.
  std::vector<condition> only_if = {};

  /// For how many keys state is kept, rounded up to a multiple of 7; 64 to 2^26, default 131,072.
  /// Takes 28 bytes a key at construction, used or not. For what happens when more keys
  /// are live than fit, see docs/limit.md.
  std::size_t max_keys = 131'072;
};

}  // namespace scalekit::limit

#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/http/header.hpp"
#include "scalekit/limit/decision.hpp"

#include <string>

namespace scalekit::http {

/// What to tell a client about its limits, for allowed and refused calls alike:
///
///     RateLimit-Policy: "login";q=5;w=60        the rule (IETF draft ratelimit-headers)
///     RateLimit: "login";r=0;t=12               what remains, and when to come back, in seconds
///     X-RateLimit-Limit: 5                      the same for older clients,
///     X-RateLimit-Remaining: 0                  all in counts and seconds from now,
///     X-RateLimit-Reset: 12                     never a date: clocks differ
///     Retry-After: 12                           refused calls only
///
/// Seconds are rounded up, so a client that waits as told is not refused again, and refused calls
/// say at least 1. For a refused call t, X-RateLimit-Reset and Retry-After agree; for an allowed
/// one they tell when the whole burst is back. `w` is left out when the window is no whole number
/// of seconds. A call that can never fit gets no Retry-After: answer it with 413 or 400, not 429.
///
/// Empty when no rule applied. Object lifetimes: the limiter of `d` must be alive.
SCALEKIT_EXPORT headers limit_headers(const limit::decision& d);

/// The status that fits: 200, 429 (refused, RFC 6585) or 413 (can never fit).
SCALEKIT_EXPORT int limit_status(const limit::decision& d) noexcept;

}  // namespace scalekit::http

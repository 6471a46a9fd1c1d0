#pragma once

#include "scalekit/cache.hpp"
#include "scalekit/testing/manual_clock.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <stdexcept>

// What the parts of the cache suite share.

namespace conformance::cache {

namespace asio = boost::asio;
namespace sc = scalekit::cache;
using namespace std::chrono_literals;
using scalekit::errc;

/// Opens an empty store on a clock.
using factory = std::function<sc::store(const scalekit::clock&)>;

/// Time to live of one minute, without jitter.
inline constexpr sc::policy minute{.type = "minute", .ttl = 60s, .jitter = 0, .negative_ttl = 10s};

/// Fresh for a minute, kept for an hour after it.
inline constexpr sc::policy patient{
    .type = "patient", .ttl = 60s, .jitter = 0, .stale_for = 1h, .retry_after = 10s};

/// And served at once within the first half a minute of that hour.
inline constexpr sc::policy swift{.type = "swift",
                                  .ttl = 60s,
                                  .jitter = 0,
                                  .stale_for = 1h,
                                  .stale_while_refreshing = 30s,
                                  .retry_after = 10s};

}  // namespace conformance::cache

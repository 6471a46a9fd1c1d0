#pragma once

#include "scalekit/redis.hpp"
#include "support/loop.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace redis_tests {

namespace asio = boost::asio;
using support::loop;

/// What a GET answers.
using text = std::optional<std::string>;

/// Servers of a test are back within moments.
inline const scalekit::backoff_params soon{.base = std::chrono::milliseconds(1),
                                           .cap = std::chrono::milliseconds(20)};

}  // namespace redis_tests

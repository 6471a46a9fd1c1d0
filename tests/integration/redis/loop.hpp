#pragma once

#include "scalekit/redis.hpp"
#include "support/loop.hpp"

namespace redis_tests {

namespace asio = boost::asio;
using support::loop;

}  // namespace redis_tests

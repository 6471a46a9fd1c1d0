#pragma once

#include "support/redis/server.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>

namespace bench::redis {

inline constexpr std::uint32_t key_count = 100'000;
inline constexpr std::size_t value_size = 100;

/// A server with key_count values, which starts when it is first asked for.
class server {
 public:
  std::string url() { return running().url(); }
  std::uint16_t port() { return running().port(); }

  /// Requests a second, of a GET as random_keys makes them.
  double redis_benchmark(int connections, int pipeline);

 private:
  support::redis::server& running();

  std::unique_ptr<support::redis::server> running_;
};

/// "key:000000012345", as redis-benchmark makes them: both sides of a comparison use it.
class random_keys {
 public:
  explicit random_keys(std::size_t seed) : random_(static_cast<unsigned>(seed + 1)) {}

  /// Until the next.
  std::string_view next() {
    auto n = static_cast<std::uint32_t>(random_()) % key_count;
    for (std::size_t digit = 0; digit < 5; ++digit, n /= 10) {
      text_[sizeof text_ - 1 - digit] = static_cast<char>('0' + n % 10);
    }
    return {text_, sizeof text_};
  }

 private:
  std::minstd_rand random_;
  char text_[16] = {'k', 'e', 'y', ':', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0'};
};

}  // namespace bench::redis

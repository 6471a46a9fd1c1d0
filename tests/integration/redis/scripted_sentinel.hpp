#pragma once

#include "support/redis/scripted_server.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

// Sentinels that say what a test wants.

namespace redis_tests {

using support::redis::scripted_server;
using support::redis::wire_array;

/// The answers of a sentinel that says `address` of every service.
inline scripted_server::script says(std::function<std::string()> address,
                                    std::string quorum = "+OK 3 usable Sentinels\r\n") {
  return [address = std::move(address),
          quorum = std::move(quorum)](const scripted_server::words& w) -> std::string {
    if (w[0] == "PING") return "+PONG\r\n";
    if (w[0] == "SENTINEL") return w[1] == "CKQUORUM" ? quorum : address();
    if (w[0] == "SUBSCRIBE") return "*3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n";
    return "+OK\r\n";
  };
}

inline scripted_server::script says_port(std::uint16_t port,
                                         std::string quorum = "+OK 3 usable Sentinels\r\n") {
  return says(
      [port] {
        return wire_array({"127.0.0.1", std::to_string(port)});
      },
      std::move(quorum));
}

/// Of these sentinels, for the service "shop".
inline std::string url_of(const std::vector<std::uint16_t>& ports) {
  std::string url = "redis+sentinel://";
  for (const auto port : ports) {
    url += (url.ends_with('/') ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(port);
  }
  return url + "?service=shop";
}

}  // namespace redis_tests

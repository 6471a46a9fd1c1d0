#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace demo {

struct http_reply {
  unsigned status = 0;
  std::string body;
};

/// One request to the server on this machine, on a connection of its own. Throws
/// boost::system::system_error when there is no answer in time.
http_reply fetch(std::uint16_t port, std::string_view method, std::string_view target,
                 std::string_view body = {},
                 std::chrono::seconds timeout = std::chrono::seconds(10));

}  // namespace demo

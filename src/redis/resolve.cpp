#include "redis/resolve.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <memory>
#include <netdb.h>
#include <sys/socket.h>

namespace scalekit::redis::detail {

namespace asio = boost::asio;

std::optional<resolved> resolve_at_once(const place& where) {
  if (!where.path.empty()) {
    return resolved{{endpoint(asio::local::stream_protocol::endpoint(where.path))}, {}};
  }
  boost::system::error_code is_name;
  const auto address = asio::ip::make_address(where.host, is_name);
  if (is_name) return std::nullopt;
  return resolved{{endpoint(asio::ip::tcp::endpoint(address, where.port))}, {}};
}

resolved resolve_name(const place& where) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed =
      ::getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &found);
  if (failed != 0) return {{}, std::string("its name was not resolved: ") + ::gai_strerror(failed)};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  resolved out;
  for (const auto* each = found; each != nullptr; each = each->ai_next) {
    out.endpoints.emplace_back(each->ai_addr, each->ai_addrlen, each->ai_protocol);
  }
  return out;
}

}  // namespace scalekit::redis::detail

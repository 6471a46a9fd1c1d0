#pragma once

#include <arpa/inet.h>
#include <cstdint>
#include <netinet/in.h>
#include <random>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace support {

/// A TCP port of 127.0.0.1 that no other test takes while this lives, whether somebody listens on
/// it or not: a server can go away and come back on it. Who listens must set SO_REUSEADDR, as
/// servers do. Connections are refused while nobody listens.
class reserved_port {
 public:
  reserved_port() {
    // Below the ports that Linux gives to outgoing connections.
    std::random_device seed;
    std::uniform_int_distribution<std::uint16_t> any(15000, 32000);
    for (int tries = 0; tries < 1000; ++tries) {
      if (reserve(any(seed))) return;
    }
    throw std::runtime_error("no free port among 15000 to 32000 of 127.0.0.1");
  }
  ~reserved_port() { close(socket_); }
  reserved_port(const reserved_port&) = delete;
  reserved_port& operator=(const reserved_port&) = delete;

  std::uint16_t number() const noexcept { return number_; }

  /// 127.0.0.1 with this port, for bind() and connect().
  sockaddr_in address() const noexcept { return address_of(number_); }

  static sockaddr_in address_of(std::uint16_t port) noexcept {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

 private:
  bool reserve(std::uint16_t port) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0) throw std::runtime_error("no socket to reserve a port with");
    const auto address = address_of(port);
    if (bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close(socket_);
      return false;
    }
    // Set only after a bind that tolerates nobody: lets the server in, and no other reservation.
    const int yes = 1;
    setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    number_ = port;
    return true;
  }

  int socket_ = -1;
  std::uint16_t number_ = 0;
};

}  // namespace support

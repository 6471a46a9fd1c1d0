#pragma once

#include "support/tcp_proxy.hpp"
#include "support/tcp_proxy_flow.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <poll.h>
#include <vector>

namespace support {

/// One proxied connection: two sockets and a flow each way.
class tcp_proxy::connection {
 public:
  using clock = tcp_proxy_flow::clock;

  /// Takes the client's socket over and connects to the target.
  connection(int client, std::uint16_t target_port);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  void set_to_server(const flow_faults& faults, clock::time_point now);
  void set_to_client(const flow_faults& faults, clock::time_point now);

  /// Adds its sockets with what they wait for.
  void wait_on(std::vector<pollfd>& sockets, clock::time_point now) const;
  /// When it has something to do though no socket becomes ready.
  std::optional<clock::time_point> next(clock::time_point now) const;
  /// Reads and writes what is possible now.
  void move(clock::time_point now);
  void cut(cut_kind kind);
  bool is_open() const noexcept { return client_.socket >= 0; }

 private:
  /// A peer, with the flow of what it says.
  struct side {
    int socket = -1;
    bool read_ended = false;   ///< it has ended
    bool write_ended = false;  ///< it was told that the other has ended
    tcp_proxy_flow says{};
  };

  void read_from(side& from, clock::time_point now);
  void write_to(side& to, tcp_proxy_flow& flow, clock::time_point now);
  void set(side& speaker, const flow_faults& faults, clock::time_point now);
  void lose(side& gone);
  void watch_connecting();

  side client_;
  side server_;
  bool connecting_ = true;
};

}  // namespace support

#include "support/tcp_proxy_connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace support {
namespace {

void send_small_packets(int socket) {
  const int yes = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/// A close() that finds unread bytes would be a reset.
void read_out(int socket) {
  std::array<char, 65536> bytes;
  while (recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) {
  }
}

void close_socket(int& socket, cut_kind kind) {
  if (kind == cut_kind::reset) {
    const linger at_once{1, 0};
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  } else {
    shutdown(socket, SHUT_WR);
    read_out(socket);
  }
  close(socket);
  socket = -1;
}

}  // namespace

tcp_proxy::connection::connection(int client, std::uint16_t target_port) {
  client_.socket = client;
  server_.socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  send_small_packets(client_.socket);
  send_small_packets(server_.socket);
  const auto address = reserved_port::address_of(target_port);
  const int started =
      connect(server_.socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (started != 0 && errno != EINPROGRESS) cut(cut_kind::reset);
}

tcp_proxy::connection::~connection() {
  cut(cut_kind::reset);
}

void tcp_proxy::connection::set_to_server(const flow_faults& faults, clock::time_point now) {
  set(client_, faults, now);
}

void tcp_proxy::connection::set_to_client(const flow_faults& faults, clock::time_point now) {
  set(server_, faults, now);
}

void tcp_proxy::connection::set(side& speaker, const flow_faults& faults, clock::time_point now) {
  speaker.says.set(faults, now);
  // A network that is well again tells who did not hear of the end.
  if (speaker.read_ended && !speaker.says.has_ended() && !faults.swallow) cut(cut_kind::reset);
}

void tcp_proxy::connection::wait_on(std::vector<pollfd>& sockets, clock::time_point now) const {
  if (!is_open()) return;
  if (connecting_) {
    sockets.push_back({server_.socket, POLLOUT, 0});
    return;
  }
  const auto add = [&](const side& it, const side& other) {
    int events = 0;
    if (!it.read_ended && it.says.has_room()) events |= POLLIN;
    if (!it.write_ended && !other.says.ready(now).empty()) events |= POLLOUT;
    // Left out otherwise: its errors would wake the loop for ever.
    if (events != 0) sockets.push_back({it.socket, static_cast<short>(events), 0});
  };
  add(client_, server_);
  add(server_, client_);
}

std::optional<tcp_proxy::connection::clock::time_point> tcp_proxy::connection::next(
    clock::time_point now) const {
  if (!is_open() || connecting_) return std::nullopt;
  const auto a = client_.says.next(now), b = server_.says.next(now);
  if (a && b) return std::min(*a, *b);
  return a ? a : b;
}

void tcp_proxy::connection::move(clock::time_point now) {
  if (is_open() && connecting_) watch_connecting();
  if (!is_open() || connecting_) return;
  read_from(client_, now);
  if (is_open()) read_from(server_, now);
  if (is_open()) write_to(server_, client_.says, now);
  if (is_open()) write_to(client_, server_.says, now);
  if (!is_open()) return;
  if (client_.says.is_used_up() || server_.says.is_used_up()) return cut(cut_kind::reset);
  if (client_.says.is_finished() && server_.says.is_finished()) cut(cut_kind::finish);
}

void tcp_proxy::connection::cut(cut_kind kind) {
  if (!is_open()) return;
  close_socket(client_.socket, kind);
  close_socket(server_.socket, kind);
}

void tcp_proxy::connection::read_from(side& from, clock::time_point now) {
  if (from.read_ended || !from.says.has_room()) return;
  std::array<char, 65536> bytes;
  const auto got = recv(from.socket, bytes.data(), bytes.size(), 0);
  if (got > 0) {
    from.says.take(std::string(bytes.data(), static_cast<std::size_t>(got)), now);
  } else if (got == 0) {
    from.read_ended = true;
    from.says.take_end();
  } else if (!would_block()) {
    lose(from);
  }
}

void tcp_proxy::connection::write_to(side& to, tcp_proxy_flow& flow, clock::time_point now) {
  if (to.write_ended) return flow.discard();
  if (const auto bytes = flow.ready(now); !bytes.empty()) {
    const auto sent = send(to.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) flow.wrote(static_cast<std::size_t>(sent), now);
    if (sent < 0 && !would_block()) return lose(to);
  }
  if (flow.is_finished()) {
    shutdown(to.socket, SHUT_WR);
    to.write_ended = true;
  }
}

void tcp_proxy::connection::lose(side& gone) {
  if (!gone.says.swallows()) return cut(cut_kind::reset);
  gone.read_ended = true;
  gone.write_ended = true;
}

void tcp_proxy::connection::watch_connecting() {
  int failure = 0;
  socklen_t size = sizeof failure;
  getsockopt(server_.socket, SOL_SOCKET, SO_ERROR, &failure, &size);
  if (failure != 0) return cut(cut_kind::reset);
  sockaddr_in peer{};
  size = sizeof peer;
  connecting_ = getpeername(server_.socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0;
}

}  // namespace support

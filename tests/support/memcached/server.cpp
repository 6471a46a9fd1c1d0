#include "support/memcached/server.hpp"

#include "support/postgres/process.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <utility>

namespace support::memcached {
namespace {

/// A connection that nothing waits on for longer than half a minute.
class connection {
 public:
  explicit connection(std::uint16_t port)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{30, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_open_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  ~connection() { ::close(socket_); }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  bool send(std::string_view bytes) const {
    while (is_open_ && !bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return is_open_;
  }

  std::string read_all() const {
    std::string all;
    char part[4096];
    for (auto n = ::recv(socket_, part, sizeof part, 0); n > 0;
         n = ::recv(socket_, part, sizeof part, 0)) {
      all.append(part, static_cast<std::size_t>(n));
    }
    return all;
  }

 private:
  int socket_;
  bool is_open_ = false;
};

}  // namespace

server::server(std::vector<std::string> options) : options_(std::move(options)) {
  start();
}

server::~server() {
  if (directory_.is_mine()) kill9();
}

std::string server::url_at(std::uint16_t port) {
  return "memcached://127.0.0.1:" + std::to_string(port);
}

std::string server::ask(std::string_view lines) const {
  const connection c(port());
  if (!c.send(std::string(lines) + "quit\r\n")) throw std::runtime_error("memcached is not there");
  return c.read_all();
}

void server::plant(const std::string& key, const std::string& bytes) const {
  const auto said =
      ask("set " + key + " 0 0 " + std::to_string(bytes.size()) + "\r\n" + bytes + "\r\n");
  if (said != "STORED\r\n") throw std::runtime_error("memcached did not store: " + said);
}

void server::start() {
  std::vector<std::string> command{"memcached", "-l", "127.0.0.1", "-p", std::to_string(port()),
                                   "-U",        "0",  "-t",        "2"};
  if (::geteuid() == 0) command.insert(command.end(), {"-u", "root"});
  command.insert(command.end(), options_.begin(), options_.end());
  if (process_.start(command, [this] { return answers(); })) return;
  throw std::runtime_error("memcached did not start; its log ends with:\n" +
                           postgres::tail_of(directory_ / "log"));
}

bool server::answers() const {
  try {
    return ask("version\r\n").starts_with("VERSION");
  } catch (const std::runtime_error&) {
    return false;
  }
}

}  // namespace support::memcached

// The code blocks of docs/ops.md, run against a server that says yes to everything.

#include <scalekit/ops.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <cstdint>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <thread>

namespace ops = scalekit::ops;
using namespace std::chrono_literals;

namespace {

class yes_server {
 public:
  yes_server() {
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~yes_server() {
    io_.stop();
    thread_.join();
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  using tcp = boost::asio::ip::tcp;
  struct session : std::enable_shared_from_this<session> {
    explicit session(tcp::socket s) : socket(std::move(s)) {}
    void serve() {
      socket.async_read_some(
          boost::asio::buffer(input), [self = shared_from_this()](auto ec, auto) {
            if (ec) return;
            static const std::string yes = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes";
            self->socket.write_some(boost::asio::buffer(yes), ec);
            self->serve();
          });
    }
    tcp::socket socket;
    std::array<char, 4096> input{};
  };
  void accept() {
    acceptor_.async_accept([this](auto ec, tcp::socket socket) {
      if (!ec) std::make_shared<session>(std::move(socket))->serve();
      accept();
    });
  }

  boost::asio::io_context io_{1};
  tcp::acceptor acceptor_{io_, {boost::asio::ip::address_v4::loopback(), 0}};
  std::thread thread_;
};

void smallest(std::uint16_t port) {
  //[smallest
  ops::load_generator generator(
      {.host = "127.0.0.1", .port = port, .stages = {{.duration = 200ms, .rate = 500}}});
  ops::load_report report = generator.run();
  std::cout << ops::to_text(report);
  //]
}

void mixed(std::uint16_t port) {
  //[mixed
  std::mt19937_64 random(1);
  ops::zipf product(60'000, 0.99);  // few products are asked for often, many seldom

  ops::load_generator generator({
      .host = "127.0.0.1",
      .port = port,
      .stages = {{.duration = 100ms, .rate = 500, .ramp_from = 0},  // warm up
                 {.duration = 200ms, .rate = 500}},
      .connections = 100,
      .clients = 50,                       // two connections each,
      .first_local_address = "127.0.1.1",  // from 127.0.1.1 to 127.0.1.50
      .timeout = 2s,
      .kinds = {"page", "order"},
      .source =
          [&](ops::load_request& request) {
            request.client = random() % 50;
            if (random() % 100 < 5) {
              request.kind = 1;
              request.method = "POST";
              request.target = "/orders";
              request.body = R"({"product":)" + std::to_string(1 + product(random)) + "}";
              request.header("Content-Type", "application/json");
            } else {
              request.target = "/products/" + std::to_string(1 + product(random));
            }
          },
  });
  ops::load_report report = generator.run();

  bool good = !report.generator_saturated &&
              !ops::load_threshold::parse("p99 > 2s").is_crossed(report) &&
              !ops::load_threshold::parse("failed > 0.1%").is_crossed(report);
  //]
  std::cout << ops::to_text(report) << (good ? "good\n" : "not good\n");
}

}  // namespace

int main() {
  yes_server server;
  smallest(server.port());
  mixed(server.port());
}

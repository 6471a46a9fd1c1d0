#include "front_door.hpp"
#include "http/server.hpp"
#include "options.hpp"
#include "shop.hpp"

#include <scalekit/core/runtime.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <exception>
#include <iostream>

// The whole program: open the shop, open the door, wait for a signal, close both in order.

namespace {

using namespace storefront;

void serve(const options& chosen) {
  // Loops for what waits, a work pool for what blocks.
  scalekit::runtime loops({.threads = chosen.threads, .work = {.threads = 8}});
  // A signal while this imports the catalogue ends the program at once; it is imported again.
  shop shop(chosen, loops);
  front_door door(shop);
  server server(loops, {.port = chosen.port}, [&](http_message message, std::string peer) {
    return door.answer(std::move(message), std::move(peer));
  });

  boost::asio::io_context signal_loop;
  boost::asio::signal_set signals(signal_loop, SIGINT, SIGTERM);
  signals.async_wait([](boost::system::error_code, int) {});
  server.start();
  // Tests and scripts wait for this line, and take the port from it.
  std::cout << "listening on 127.0.0.1:" << server.port() << std::endl;

  // Returns with the first signal.
  signal_loop.run();
  std::cerr << "stopping\n";
  // From the outside in: no new requests, then no new jobs, then no database.
  server.stop(std::chrono::seconds(5));
  if (shop.worker) shop.worker->stop(std::chrono::seconds(5));
  shop.db.close();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (auto chosen = parse_command_line(argc, argv)) serve(*chosen);
    return 0;
  } catch (const std::invalid_argument& wrong) {
    std::cerr << "storefront: " << wrong.what() << '\n';
    return 2;
  } catch (const std::exception& failure) {
    std::cerr << "storefront: " << failure.what() << '\n';
    return 1;
  }
}

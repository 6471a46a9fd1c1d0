#include "http/server.hpp"

#include "http/connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace storefront {

namespace asio = boost::asio;
using asio::ip::tcp;

struct server::state : std::enable_shared_from_this<server::state> {
  state(scalekit::runtime& l, server_params p, answerer a)
      : loops(l),
        params(std::move(p)),
        answer(std::move(a)),
        acceptor(loops.next_loop(),
                 tcp::endpoint(asio::ip::make_address(params.address), params.port)) {}

  asio::awaitable<void> accept_loop() {
    auto self = shared_from_this();
    while (!stopping) {
      // The new socket lives on the next loop, whichever loop accepts.
      auto [error, socket] =
          co_await acceptor.async_accept(loops.next_loop(), asio::as_tuple(asio::use_awaitable));
      if (stopping) co_return;
      if (error) {
        // Out of descriptors, most likely: it would fail again at once.
        asio::steady_timer pause(acceptor.get_executor(), std::chrono::milliseconds(50));
        co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
        continue;
      }
      begin(std::move(socket));
    }
  }

  void begin(tcp::socket socket) {
    auto executor = socket.get_executor();
    auto client = std::make_shared<connection>(std::move(socket), params, answer, stopping);
    {
      std::lock_guard lock(mutex);
      if (open.size() >= params.max_connections) return;
      open.emplace(client.get(), client);
    }
    asio::co_spawn(executor, client->serve(),
                   [self = shared_from_this(), key = client.get()](std::exception_ptr) {
                     std::lock_guard lock(self->mutex);
                     self->open.erase(key);
                     if (self->open.empty()) self->all_gone.notify_all();
                   });
  }

  template <class Action>
  void for_each_open(Action action) {
    std::lock_guard lock(mutex);
    for (auto& [key, weak] : open) {
      if (auto client = weak.lock()) action(*client);
    }
  }

  bool wait_until_gone(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex);
    return all_gone.wait_for(lock, patience, [this] { return open.empty(); });
  }

  scalekit::runtime& loops;
  const server_params params;
  const answerer answer;
  tcp::acceptor acceptor;
  std::atomic<bool> stopping = false;
  std::mutex mutex;
  std::condition_variable all_gone;
  std::unordered_map<connection*, std::weak_ptr<connection>> open;
};

server::server(scalekit::runtime& loops, server_params params, answerer answer)
    : state_(std::make_shared<state>(loops, std::move(params), std::move(answer))) {}

server::~server() {
  stop(std::chrono::milliseconds(0));
}

std::uint16_t server::port() const {
  return state_->acceptor.local_endpoint().port();
}

void server::start() {
  asio::co_spawn(state_->acceptor.get_executor(), state_->accept_loop(), [](std::exception_ptr) {});
}

bool server::stop(std::chrono::milliseconds patience) {
  if (!state_->stopping.exchange(true)) {
    asio::post(state_->acceptor.get_executor(), [state = state_] {
      boost::system::error_code ignored;
      state->acceptor.close(ignored);
    });
  }
  state_->for_each_open([](connection& client) { client.interrupt(); });
  if (state_->wait_until_gone(patience)) return true;
  state_->for_each_open([](connection& client) { client.cut(); });
  state_->wait_until_gone(std::chrono::seconds(1));
  return false;
}

}  // namespace storefront

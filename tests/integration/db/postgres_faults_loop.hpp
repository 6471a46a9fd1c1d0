#pragma once

#include "postgres_faults_fixture.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <future>
#include <thread>
#include <vector>

namespace faults {

namespace asio = boost::asio;

/// A host's event loop on a thread of its own.
class loop {
 public:
  loop() : thread_([this] { io_.run(); }) {}
  ~loop() { stop(); }
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  scalekit::execution execution() { return scalekit::execution(io_.get_executor()); }
  asio::io_context& io() noexcept { return io_; }

  void stop() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  /// Runs `task` in the loop and returns what it returns.
  template <class Task>
  auto call(Task task) {
    return asio::post(io_, asio::use_future(std::move(task))).get();
  }

  /// Starts `make(i)`'s read for each i in one turn of the loop: together they are a group.
  template <class Row, class Make>
  std::vector<std::future<std::vector<Row>>> read_together(db::client& client, int count, Make make,
                                                           db::call_options options = {}) {
    return call([&] {
      std::vector<std::future<std::vector<Row>>> started;
      for (int i = 0; i < count; ++i) {
        started.push_back(client.async_read<Row>(make(i), options, asio::use_future));
      }
      return started;
    });
  }

 private:
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> keep_{io_.get_executor()};
  std::thread thread_;
};

}  // namespace faults

#pragma once

#include "scalekit/core/execution.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <thread>
#include <utility>

namespace support {

/// A host's event loop on a thread of its own.
class loop {
 public:
  loop() : thread_([this] { io_.run(); }) {}
  ~loop() { stop(); }
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  scalekit::execution execution() { return scalekit::execution(io_.get_executor()); }
  boost::asio::io_context& io() noexcept { return io_; }

  void stop() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  /// Runs what is there and what follows from it, to its end.
  void finish() {
    keep_.reset();
    if (thread_.joinable()) thread_.join();
  }

  /// Runs `task` in the loop and returns what it returns.
  template <class Task>
  auto call(Task task) {
    return boost::asio::post(io_, boost::asio::use_future(std::move(task))).get();
  }

 private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keep_{
      io_.get_executor()};
  std::thread thread_;
};

}  // namespace support

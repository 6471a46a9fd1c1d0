#include "core/io_home.hpp"

#include "core/leave_to_parent.hpp"

#include <pthread.h>
#include <utility>

namespace scalekit::detail {

io_home::io_home(const execution& exec, const char* thread_name)
    : host_(exec.io_executor()), thread_name_(thread_name) {}

io_home::~io_home() {
  if (!thread_.joinable()) return;
  if (guard_.is_forked()) {
    leave_to_parent(thread_);
    leave_to_parent(own_);
    return;
  }
  own_->keep.reset();
  own_->io.stop();
  // The last handle to a client can die in a handler of this very loop, which then ends by itself.
  if (thread_.get_id() == std::this_thread::get_id()) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

boost::asio::any_io_executor io_home::executor() {
  return host_ ? host_ : own_executor();
}

boost::asio::any_io_executor io_home::own_executor() {
  std::lock_guard lock(mutex_);
  if (!own_) {
    auto made = std::make_shared<loop>();
    thread_ = std::thread([made] {
      io_thread_mark mark;
      made->io.run();
    });
    pthread_setname_np(thread_.native_handle(), thread_name_);
    own_ = std::move(made);
  }
  return own_->io.get_executor();
}

}  // namespace scalekit::detail

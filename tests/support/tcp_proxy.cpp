#include "support/tcp_proxy.hpp"

#include "support/tcp_proxy_connection.hpp"

#include <algorithm>
#include <ctime>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace support {

using clock = tcp_proxy_flow::clock;

tcp_proxy::tcp_proxy(std::uint16_t target_port)
    : target_(target_port), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wake_ < 0) throw std::runtime_error("no eventfd for a proxy");
  listen();
  thread_ = std::thread([this] { loop(); });
}

tcp_proxy::~tcp_proxy() {
  in_loop([this] { stopping_ = true; });
  thread_.join();
  connections_.clear();
  if (listener_ >= 0) close(listener_);
  close(wake_);
}

void tcp_proxy::set_accepting(accept_mode mode) {
  in_loop([this, mode] {
    accepting_ = mode == accept_mode::normal;
    if (mode != accept_mode::refuse && listener_ < 0) listen();
    if (mode == accept_mode::refuse && listener_ >= 0) {
      close(listener_);
      listener_ = -1;
    }
  });
}

void tcp_proxy::set_to_server(flow_faults faults) {
  in_loop([this, faults] {
    to_server_ = faults;
    for (auto& each : connections_) each->set_to_server(faults, clock::now());
  });
}

void tcp_proxy::set_to_client(flow_faults faults) {
  in_loop([this, faults] {
    to_client_ = faults;
    for (auto& each : connections_) each->set_to_client(faults, clock::now());
  });
}

void tcp_proxy::heal() {
  set_to_server({});
  set_to_client({});
  set_accepting(accept_mode::normal);
}

void tcp_proxy::cut_all(cut_kind kind) {
  in_loop([this, kind] {
    for (auto& each : connections_) each->cut(kind);
  });
}

void tcp_proxy::cut_all_and_heal() {
  in_loop([this] {
    for (auto& each : connections_) each->cut(cut_kind::reset);
    to_server_ = to_client_ = {};
  });
  set_accepting(accept_mode::normal);
}

void tcp_proxy::set_target(std::uint16_t port) {
  in_loop([this, port] { target_ = port; });
}

std::size_t tcp_proxy::connections() const {
  std::size_t open = 0;
  in_loop([this, &open] {
    for (const auto& each : connections_) open += each->is_open() ? 1U : 0U;
  });
  return open;
}

std::size_t tcp_proxy::accepted() const {
  std::size_t count = 0;
  in_loop([this, &count] { count = accepted_; });
  return count;
}

void tcp_proxy::in_loop(std::function<void()> task) const {
  std::unique_lock lock(mutex_);
  tasks_.push_back(std::move(task));
  const auto mine = ++tasks_given_;
  eventfd_write(wake_, 1);
  finished_.wait(lock, [&] { return tasks_done_ >= mine; });
}

void tcp_proxy::loop() {
  std::vector<pollfd> sockets;
  while (!stopping_) {
    auto now = clock::now();
    std::optional<clock::time_point> next;
    sockets.assign(1, {wake_, POLLIN, 0});
    if (accepting_ && listener_ >= 0) sockets.push_back({listener_, POLLIN, 0});
    for (const auto& each : connections_) {
      each->wait_on(sockets, now);
      const auto its = each->next(now);
      if (its && (!next || *its < *next)) next = its;
    }
    timespec pause{};
    if (next) {
      const auto whole = std::chrono::floor<std::chrono::seconds>(*next - now);
      pause.tv_sec = whole.count();
      pause.tv_nsec = std::chrono::nanoseconds(*next - now - whole).count();
    }
    ppoll(sockets.data(), sockets.size(), next ? &pause : nullptr, nullptr);

    if (accepting_ && listener_ >= 0) accept_all();
    now = clock::now();
    for (auto& each : connections_) each->move(now);
    // After moving: what a task sees and changes is not overtaken by what came before it.
    run_tasks();
    std::erase_if(connections_, [](const auto& each) { return !each->is_open(); });
  }
}

void tcp_proxy::run_tasks() {
  eventfd_t ignored = 0;
  eventfd_read(wake_, &ignored);
  const std::lock_guard lock(mutex_);
  for (auto& task : tasks_) task();
  tasks_done_ += tasks_.size();
  tasks_.clear();
  finished_.notify_all();
}

void tcp_proxy::listen() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const auto address = port_.address();
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_, 128) != 0) {
    throw std::runtime_error("a proxy cannot listen on its port");
  }
}

void tcp_proxy::accept_all() {
  for (;;) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return;
    ++accepted_;
    auto made = std::make_unique<connection>(client, target_);
    made->set_to_server(to_server_, clock::now());
    made->set_to_client(to_client_, clock::now());
    connections_.push_back(std::move(made));
  }
}

}  // namespace support

#include "redis/cluster_node.hpp"

#include <utility>

namespace scalekit::redis::detail {
namespace {

void add_up(lane_statistics& to, const lane_statistics& more) noexcept {
  to.connected += more.connected;
  to.in_flight += more.in_flight;
  to.waiting += more.waiting;
  to.bytes += more.bytes;
}

}  // namespace

cluster_node::cluster_node(target to, scalekit::execution exec)
    : to_(std::move(to)), exec_(std::move(exec)), server_(to_, exec_) {}

single_server& cluster_node::replica() {
  const std::lock_guard lock(mutex_);
  if (!replica_) {
    auto to = to_;
    to.reads_replica = true;
    replica_ = std::make_unique<single_server>(std::move(to), exec_);
  }
  return *replica_;
}

void cluster_node::close(std::chrono::nanoseconds timeout) {
  server_.close(timeout);
  single_server* replica = nullptr;
  {
    const std::lock_guard lock(mutex_);
    replica = replica_.get();
  }
  if (replica != nullptr) replica->close(timeout);
}

client_statistics cluster_node::statistics() const {
  auto s = server_.statistics();
  const std::lock_guard lock(mutex_);
  if (replica_) detail::add_up(s, replica_->statistics());
  return s;
}

void add_up(client_statistics& to, const client_statistics& more) noexcept {
  add_up(to.shared, more.shared);
  add_up(to.large, more.large);
  add_up(to.blocking, more.blocking);
  to.direct += more.direct;
  to.direct_busy += more.direct_busy;
  to.direct_calls += more.direct_calls;
  to.repeated += more.repeated;
  to.scripts_sent += more.scripts_sent;
  to.dials += more.dials;
  to.dial_failures += more.dial_failures;
  to.connections_lost += more.connections_lost;
  to.given_up += more.given_up;
  to.writes += more.writes;
  to.bytes_sent += more.bytes_sent;
  to.bytes_received += more.bytes_received;
}

}  // namespace scalekit::redis::detail

#pragma once

#include "redis/place.hpp"
#include "redis/single_server.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/execution.hpp"

#include <chrono>
#include <memory>
#include <mutex>

namespace scalekit::redis::detail {

/// One node of a cluster, with its connections. Who uses it holds it: one that has left the cluster
/// ends, and closes them, with its last call.
///
/// Thread safety: every member may be called from any thread, `named` excepted.
class cluster_node {
 public:
  cluster_node(target to, scalekit::execution exec);

  const place& where() const noexcept { return to_.where; }

  /// As any client sees it.
  single_server& server() noexcept { return server_; }
  /// By connections on which a replica answers reads itself. Made with the first use.
  single_server& replica();

  void close(std::chrono::nanoseconds timeout);
  client_statistics statistics() const;

  /// When a redirect named it last. Its owner's.
  time_point named{};

 private:
  const target to_;
  const scalekit::execution exec_;
  single_server server_;
  mutable std::mutex mutex_;
  std::unique_ptr<single_server> replica_;
};

using node_ptr = std::shared_ptr<cluster_node>;

/// Adds what `more` counts, and its connections, to `to`.
void add_up(client_statistics& to, const client_statistics& more) noexcept;

}  // namespace scalekit::redis::detail

#pragma once

#include "redis/cluster_nodes.hpp"
#include "redis/command_keys.hpp"
#include "scalekit/core/fork_guard.hpp"
#include "scalekit/redis/detail/backend.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

namespace scalekit::redis::detail {

/// A cluster: which of its nodes a call goes to, and where it goes when that node says another.
class cluster final : public backend {
 public:
  cluster(cluster_target to, scalekit::execution exec);
  ~cluster() override;

  reply run(request& what, const call_options& options) override;
  void start(call_ptr c, const call_options& options) override;
  void close(std::chrono::nanoseconds timeout) override;
  client_statistics statistics() const override;
  std::chrono::nanoseconds timeout() const noexcept override { return nodes_->params().timeout; }
  const scalekit::execution& execution() const noexcept override { return nodes_->execution(); }
  const std::string& name() const noexcept override { return nodes_->name(); }

 private:
  void check(const request& what, const call_options& options) const;
  /// Whether it is one command for several slots that can be split. Throws errc::invalid_argument
  /// where it cannot.
  static bool is_to_split(const request& what, const slot_span& slots);
  reply run_split(const request& what, const call_options& options);
  void start_split(const call_ptr& c, const call_options& options);

  const std::shared_ptr<cluster_nodes> nodes_;
  const fork_guard fork_guard_;
  std::atomic<bool> closing_{false};
};

}  // namespace scalekit::redis::detail

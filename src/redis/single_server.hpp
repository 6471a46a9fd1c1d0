#pragma once

#include "core/io_home.hpp"
#include "redis/direct_pool.hpp"
#include "redis/lane.hpp"
#include "redis/master_scout.hpp"
#include "redis/place.hpp"
#include "redis/site.hpp"
#include "scalekit/core/fork_guard.hpp"
#include "scalekit/redis/detail/backend.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace scalekit::redis::detail {

/// One server, of an address or of a service: which of its connections a call goes to.
class single_server final : public backend {
 public:
  single_server(target to, scalekit::execution exec);
  ~single_server() override;

  reply run(request& what, const call_options& options) override;
  void start(call_ptr c, const call_options& options) override;
  void close(std::chrono::nanoseconds timeout) override;
  client_statistics statistics() const override;
  std::chrono::nanoseconds timeout() const noexcept override { return site_->params.timeout; }
  const scalekit::execution& execution() const noexcept override { return site_->exec; }
  const std::string& name() const noexcept override { return site_->name; }

 private:
  void check(const request& what, const call_options& options) const;
  time_point until(const call_options& options, time_point now) const noexcept;
  reply run_in_lane(request& what, const call_options& options, const blocking_frame& frame);
  bool is_large(const request& what, const call_options& options) const noexcept;
  /// Into the lane for it. Throws errc::shed and errc::closed.
  void submit(const call_ptr& c, const call_options& options);
  std::shared_ptr<lane> make_lane(lane_use use);
  lane& shared_lane();
  lane& large_lane();
  /// Precondition: lanes_mutex_ is held, until the call is in it.
  lane& free_blocking_lane(const request& what);
  std::vector<std::shared_ptr<lane>> lanes() const;
  bool is_quiet() const;
  /// Where sentinels say which server it is.
  void serve_master();
  void leave_master();

  const std::shared_ptr<site> site_;
  const fork_guard fork_guard_;
  scalekit::detail::io_home io_;
  /// Made with the first search, by who serves the master's watch.
  std::shared_ptr<master_scout> scout_;
  std::atomic<bool> closing_{false};
  std::once_flag shared_made_;
  mutable std::mutex lanes_mutex_;
  std::shared_ptr<lane> shared_;
  std::shared_ptr<lane> large_;
  std::vector<std::shared_ptr<lane>> blocking_;
  direct_pool direct_;
};

}  // namespace scalekit::redis::detail

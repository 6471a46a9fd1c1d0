#pragma once

#include "redis/cluster_course.hpp"
#include "redis/cluster_nodes.hpp"
#include "scalekit/redis/detail/call.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>

namespace scalekit::redis::detail {

/// An asynchronous call on its way through a cluster: a call of its own at each node it comes to.
///
/// Thread safety: abandon() and wake() may be called from any thread.
class cluster_journey final : public call_owner,
                              public map_waiter,
                              public std::enable_shared_from_this<cluster_journey> {
 public:
  cluster_journey(std::shared_ptr<cluster_nodes> nodes, call_ptr of, cluster_course course);
  ~cluster_journey() override;

  /// Finishes the call once; never from inside this function.
  void start();

  void abandon(const call_ptr& c, std::exception_ptr why) override;
  void wake() override;

 private:
  class hop;
  struct nap;

  void go();
  /// It is in the hands of a node, and cannot end there before this returns.
  void is_on(const call_ptr& h);
  void ended(call& h, std::exception_ptr failure, reply&& answer) noexcept;
  void after(error failure);
  void sleep(std::chrono::nanoseconds pause);
  bool sleeps(const std::shared_ptr<nap>& n);
  /// Whether it slept that nap, and is the caller's from now on.
  bool claim(const std::shared_ptr<nap>& n);
  bool stopped(std::exception_ptr& why);
  void finish(std::exception_ptr failure, reply&& answer) noexcept;
  /// The same, not from inside the caller.
  void finish_later(std::exception_ptr failure);

  const std::shared_ptr<cluster_nodes> nodes_;
  const call_ptr of_;
  // Whoever has the journey in hand: one at a time.
  cluster_course course_;
  request what_;

  std::mutex mutex_;
  call_ptr on_;
  std::shared_ptr<nap> nap_;
  std::optional<std::exception_ptr> stop_;
};

}  // namespace scalekit::redis::detail

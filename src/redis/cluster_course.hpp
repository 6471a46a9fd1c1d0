#pragma once

#include "redis/cluster_nodes.hpp"
#include "redis/hop.hpp"
#include "scalekit/redis/detail/request.hpp"
#include "scalekit/redis/options.hpp"

#include <cstdint>
#include <memory>
#include <optional>

namespace scalekit::redis::detail {

/// The way of one call through a cluster: where it goes next, by what became of it before.
///
/// Thread safety: one thread at a time.
class cluster_course {
 public:
  /// `slot`: nothing where the call has no key.
  cluster_course(std::shared_ptr<cluster_nodes> nodes, const request& what,
                 std::optional<std::uint16_t> slot, const call_options& options, time_point until);

  /// Where it goes, which lives until the next call of this; makes `what` fit for it. Throws
  /// errc::unavailable where there is no map.
  single_server& next(request& what);

  /// Of that: keeps it alive.
  const node_ptr& node() const noexcept { return at_.node; }

  /// For the call there: what is left of its time.
  call_options options(time_point now) const;

  /// It was not run there. What to do; `e` becomes what the caller is told if that is to give up.
  hop_plan failed(error& e, time_point now);

  /// Of the map that next() has used.
  std::uint64_t generation() const noexcept { return at_.generation; }
  time_point until() const noexcept { return until_; }

 private:
  void follow(const error& e, hop_plan& plan);
  /// Of a call that redirects have led nowhere, or not in time.
  error lost(const error& e, bool is_for_good) const;

  const std::shared_ptr<cluster_nodes> nodes_;
  const std::string command_;
  const std::optional<std::uint16_t> slot_;
  const call_options options_;
  const time_point until_;
  std::optional<std::uint64_t> replica_;
  hop_history history_;
  cluster_nodes::found at_;
  std::uint64_t replicas_tried_ = 0;
  /// By a redirect; null: the map says where to go.
  node_ptr named_;
  bool is_asking_ = false;
};

}  // namespace scalekit::redis::detail

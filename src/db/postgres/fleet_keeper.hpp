#pragma once

#include "db/pool/fleet_budget.hpp"
#include "db/postgres/probe.hpp"
#include "db/postgres/settings.hpp"
#include "db/postgres/ticker.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

namespace scalekit::db::postgres {

/// Keeps the pool of one host to its share. Each client of a fleet holds the same advisory lock in
/// shared mode, on a connection of its own, and counts who else does: one that is killed is gone
/// with its connection, and nothing is written anywhere, so that it works on standbys too. What it
/// asks is asked on a thread of its own.
///
/// Thread safety: one thread at a time.
class fleet_keeper : public std::enable_shared_from_this<fleet_keeper> {
 public:
  /// Calls `told` with every new limit, on its own thread. `beside`: connections to the host that
  /// the client has outside its pool, this one included.
  fleet_keeper(const server_address& server, const client_params& params, std::size_t beside,
               std::function<void(const detail::fleet_limit&)> told);

  /// What holds until `told` says otherwise. Before begin().
  const detail::fleet_limit& limit() const noexcept { return budget_.limit(); }

  /// Joins the fleet; once.
  void begin();
  /// Leaves it.
  void close();

 private:
  void tend();
  void look();
  probed<fleet_sight> count(time_point until);
  void give_up(const std::string& why);
  void tell();

  const std::string name_;
  const detail::host_spec where_;
  const log_sink log_;
  const std::chrono::nanoseconds interval_;
  /// Only a pooler that was declared to be in session mode keeps locks.
  const bool may_be_pooled_;
  const std::function<void(const detail::fleet_limit&)> told_;
  std::stop_source stop_;
  // Of the timetable's thread alone, once it runs.
  probe asks_;
  detail::fleet_budget budget_;
  bool is_useless_ = false;
  bool is_deaf_ = false;
  // Last: its thread ends before the rest goes.
  std::optional<ticker> timetable_;
};

}  // namespace scalekit::db::postgres

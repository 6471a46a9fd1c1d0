#pragma once

#include "db/pool/fleet_limit.hpp"
#include "db/postgres/connection.hpp"
#include "db/postgres/dial.hpp"
#include "db/postgres/settings.hpp"
#include "db/topology/host_sample.hpp"
#include "db/topology/timeline_board.hpp"
#include "scalekit/core/clock.hpp"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace scalekit::db::postgres {

/// What came of a question of the monitor's. `why` is for people, where there is no answer.
template <class Answer>
struct probed {
  std::optional<Answer> answer;
  std::optional<detail::host_error> against;
  std::string why;
};

/// What a server tells of the fleet that shares it.
struct fleet_sight {
  detail::fleet_facts facts;
  /// We are in it: the session holds the lock.
  bool is_member = false;
  /// A pooler stands before the server.
  bool is_pooled = false;
};

/// The monitor's way to one server: a connection of its own, opened when first needed and again
/// when it is gone. Blocks.
///
/// Thread safety: one thread at a time.
class probe {
 public:
  probe(server_address server, std::stop_token stop)
      : server_(std::move(server)), stop_(std::move(stop)) {}

  /// Role, position and timeline.
  probed<detail::host_sample> look(time_point until);

  /// Of a standby: how far it has replayed, and on what timeline.
  probed<detail::log_place> place(time_point until);

  /// Of a primary: the ancestors of its timeline. No answer where its history may not be read.
  probed<std::vector<detail::timeline_switch>> history(time_point until);

  /// Who shares the server.
  probed<fleet_sight> fleet(time_point until);

  /// Joins them, until the connection ends. Not behind a pooler, where the lock would be somebody
  /// else's.
  probed<bool> join_fleet(time_point until);

  /// Closes the connection.
  void hang_up() noexcept { connection_.reset(); }

  /// The last answer of a standby that streams did not tell its timeline: for want of pg_monitor.
  bool is_blind() const noexcept { return blind_; }

 private:
  template <class Answer, class Read>
  probed<Answer> ask(const char* text, time_point until, Read read);
  bool connect(time_point until, dialed& attempt);

  const server_address server_;
  const std::stop_token stop_;
  std::unique_ptr<connection> connection_;
  bool blind_ = false;
};

}  // namespace scalekit::db::postgres

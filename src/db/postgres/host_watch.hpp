#pragma once

#include "db/postgres/host.hpp"
#include "db/postgres/probe.hpp"
#include "db/postgres/settings.hpp"
#include "db/postgres/ticker.hpp"
#include "db/topology/host_board.hpp"
#include "scalekit/core/random.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace scalekit::db::postgres {

/// Several hosts under watch: the host_board behind a mutex, and the monitor that fills it, with a
/// thread and a connection for each host, so that one that is dead delays nobody's news. They begin
/// with the first decision that is asked for.
///
/// Whenever other connections take the writes the old ones are evicted from their pool, and who
/// reads the log hears of it.
///
/// Thread safety: every member may be called from any thread.
class host_watch : public std::enable_shared_from_this<host_watch> {
 public:
  /// Throws std::invalid_argument for an evidence_lease that is too short. Precondition: the hosts'
  /// ids are their places in `hosts`.
  host_watch(const settings& s, const std::vector<host_ptr>& hosts);

  // Decisions, as host_board's. `seen` is set to the number of the last event before.
  detail::write_route writer(std::uint64_t& seen);
  detail::read_route reader(const detail::read_request& request, std::uint64_t& seen);

  /// Asks a standby for its position at `when`, or sooner where others ask sooner.
  void ask(detail::host_id host, time_point when);

  /// Blocks until there was an event after number `seen`, or `until`.
  void wait(std::uint64_t seen, time_point until);

  /// Calls `then` once after the next event after number `seen`; at once if there was one. `then`
  /// must do nothing but post.
  void on_event(std::uint64_t seen, std::function<void()> then);

  // What the calls have seen.
  void error_seen(detail::host_id host, detail::host_error what, std::string why);
  void parameter_status(detail::host_id host, const detail::host_parameters& seen);
  void connected_anew(detail::host_id host, time_point when);
  void call_began(detail::host_id host);
  void call_ended(detail::host_id host, std::optional<std::chrono::nanoseconds> took);

  /// Ends the monitor. Who waits is woken.
  void close();
  /// Waits until its threads have ended, so that nobody hears of anything any more. After close();
  /// from one thread.
  void join();
  bool is_closed() const;

  struct host_state {
    std::optional<bool> is_primary;
    std::optional<std::chrono::nanoseconds> lag;
    std::string text;
  };
  host_state state_of(detail::host_id host) const;

 private:
  struct watched {
    watched(std::shared_ptr<host_pool> p, server_address server, std::stop_token stop)
        : pool(std::move(p)), where(server.where), asks(std::move(server), std::move(stop)) {}

    /// Not the host: its lanes belong to the host's loop, which this may outlive.
    const std::shared_ptr<host_pool> pool;
    const detail::host_spec where;
    /// Of its ticker's thread alone.
    probe asks;
    std::uint32_t history_tried = 0;
    std::optional<ticker> timetable;
    time_point ask_at = time_point::max();
    std::optional<bool> is_primary;
    /// An error was seen since it last answered.
    bool doubted = false;
  };
  using lock = std::unique_lock<std::mutex>;

  void start(time_point now);
  void tend(detail::host_id id);
  void look(watched& w, detail::host_id id, time_point now);
  void ask_place(watched& w, detail::host_id id, time_point now);
  /// Whether it was doubted, which ends.
  bool is_cleared(watched& w);
  void note_blind(const watched& w);
  /// After an event, under `held`, which it releases.
  void settle(lock& held, time_point now);
  void plan(detail::host_id id, time_point now);

  const topology_params params_;
  const log_sink log_;
  std::stop_source stop_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  detail::host_board board_;
  random_generator random_;
  bool started_ = false;
  bool closed_ = false;
  bool blind_reported_ = false;
  bool split_reported_ = false;
  std::uint64_t events_ = 0;
  std::uint64_t generation_ = 0;
  std::optional<detail::host_id> writer_;
  std::vector<std::function<void()>> waiting_;
  // Last: their threads end before the rest goes.
  std::vector<std::unique_ptr<watched>> hosts_;
};

}  // namespace scalekit::db::postgres

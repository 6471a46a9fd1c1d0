#pragma once

#include "core/io_home.hpp"
#include "db/call_frame.hpp"
#include "db/pool/pool_core.hpp"
#include "db/postgres/connection.hpp"
#include "db/postgres/dial.hpp"
#include "db/postgres/fleet_keeper.hpp"
#include "db/postgres/settings.hpp"
#include "db/postgres/ticker.hpp"
#include "scalekit/core/fork_guard.hpp"
#include "scalekit/core/work_pool.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace scalekit::db::postgres {

using scalekit::detail::io_home;

class host_pool;

/// A connection on loan; goes back as healthy when it dies, unless it was told otherwise. Keeps its
/// pool alive.
class lent_connection {
 public:
  lent_connection() = default;
  lent_connection(std::shared_ptr<host_pool> pool, detail::slot_id slot, connection& c) noexcept
      : pool_(std::move(pool)), slot_(slot), connection_(&c) {}
  lent_connection(lent_connection&& other) noexcept
      : pool_(std::move(other.pool_)),
        slot_(other.slot_),
        connection_(std::exchange(other.connection_, nullptr)) {}
  lent_connection& operator=(lent_connection&& other) noexcept {
    give_back(detail::returned::healthy);
    pool_ = std::move(other.pool_);
    slot_ = other.slot_;
    connection_ = std::exchange(other.connection_, nullptr);
    return *this;
  }
  ~lent_connection() { give_back(detail::returned::healthy); }

  explicit operator bool() const noexcept { return connection_ != nullptr; }
  connection& operator*() const noexcept { return *connection_; }
  connection* operator->() const noexcept { return connection_; }

  void give_back(detail::returned how) noexcept;

  /// Used so lately, with no other of its server lost since, that a read takes it for alive. A
  /// write, which cannot be repeated, wants to know.
  bool is_fresh() const noexcept;

  /// Who blocks on this thread from now on, holds it: see pool_user::thread.
  void lent_to(std::thread::id thread) const;

  /// Whether who keeps it for long should give it back: others wait, or its pool would close it.
  bool is_wanted_back() const;

 private:
  std::shared_ptr<host_pool> pool_;
  detail::slot_id slot_ = detail::no_slot;
  connection* connection_ = nullptr;
};

/// The connections to one server: pool_core's decisions, and the threads, timers and sockets that
/// carry them out.
///
/// Thread safety: every member may be called from any thread.
class host_pool : public std::enable_shared_from_this<host_pool> {
 public:
  host_pool(server_address server, const client_params& params, std::shared_ptr<io_home> io);
  ~host_pool();

  const std::string& name() const noexcept { return server_.name; }

  std::size_t max_waiting() const noexcept { return params_.max_waiting; }

  /// Whether each transaction may meet another connection of the server: as the settings say, or
  /// else as the first connection has found. Nothing: there was none yet.
  std::optional<bool> is_pooled() const noexcept { return pooled_; }

  /// Calls `heard` after every attempt to connect that failed, on the pool's threads. To be set
  /// before the first use.
  void on_dial_failed(std::function<void(const dialed&)> heard) {
    on_dial_failed_ = std::move(heard);
  }

  /// Shares the server with all clients that do so: see pool_params::fleet_budget. To be called
  /// before the first use. `beside` as fleet_keeper has it.
  void share_with_fleet(std::size_t beside);

  /// Blocks until there is a connection. `waited` tells whether it had to. Throws acquire_timeout,
  /// shed, cancelled, unavailable or closed.
  lent_connection take(const detail::pool_user& user, const detail::call_frame& call,
                       time_point until, bool& waited);

  /// What one of several who share a wait is told when it is over for them: `since` when it waited
  /// is its own.
  std::exception_ptr explain(const detail::pool_user& user, time_point since,
                             detail::pool_refusal why) const;

  /// One who shares a connection was turned away.
  void count_shed();

  /// One that is idle now, or none.
  lent_connection try_take(const detail::pool_user& user, time_point now);

  /// Calls `then` once: with a connection or an error, on `on` (by default the I/O executor), never
  /// from inside this function. No thread waits meanwhile.
  using granted = std::function<void(std::exception_ptr, lent_connection)>;
  void async_take(const detail::pool_user& user, time_point since, time_point until,
                  std::stop_token stop, std::stop_token also_stop, granted then,
                  const boost::asio::any_io_executor& on = {});

  /// Asks the server to stop what runs on `c`, without waiting. The connection must then be given
  /// back as needs_reset, which waits for the cancel to be over.
  cancel_ticket cancel(connection& c);

  /// Runs what blocks, for a connection that is lent, on a thread of the pool's.
  template <class Task>
  void post_work(Task&& task) {
    workers_.post(std::forward<Task>(task));
  }

  /// Others have reached the server just now: it is dialed again without a pause.
  void reachable();

  /// Connections made before are closed as soon as they come back; who waits is refused as
  /// unavailable, and looks for a host anew.
  void evict_all(std::uint64_t generation);

  /// Nobody gets one any more, and who waits hears of it.
  void close();
  /// Wakes the blocking calls under way and cuts the connections that are lent.
  void stop_running();
  bool is_closing() const noexcept { return closing_.load(std::memory_order_relaxed); }
  /// True once nothing is lent and nobody waits; false at `until`.
  bool wait_until_idle(time_point until);

  pool_statistics statistics() const;

 private:
  friend class lent_connection;
  struct waiter;
  struct blocking_waiter;
  struct async_waiter;
  using lock = std::unique_lock<std::mutex>;

  void give_back(detail::slot_id slot, detail::returned how) noexcept;
  /// Carries out `actions`, and what follows from them. Unlocks for it, and locks again.
  void act(lock& held, detail::pool_actions& actions);
  void plan();
  void upkeep();
  void dial_in(detail::slot_id slot, time_point until);
  void look_for_pooler(dialed& made, time_point until);
  void set_limits(const detail::fleet_limit& limit);
  void check_in(detail::slot_id slot, time_point until);
  void reset_in(detail::slot_id slot, time_point until);
  /// Tells core_ of something, `event(actions)`, and does what it wants done.
  template <class Event>
  void report(Event event) {
    lock held(mutex_);
    detail::pool_actions actions;
    event(actions);
    act(held, actions);
    idle_.notify_all();
  }
  void leave(const std::shared_ptr<async_waiter>& w, detail::pool_refusal why);
  std::exception_ptr refusal(const detail::pool_waiter& w, detail::pool_refusal why) const;

  const server_address server_;
  const client_params params_;
  const std::shared_ptr<io_home> io_;
  const fork_guard guard_;
  std::atomic<bool> closing_{false};
  std::stop_source stop_dials_;
  std::function<void(const dialed&)> on_dial_failed_;
  std::atomic<std::optional<bool>> pooled_;
  /// When a connection came back broken last.
  std::atomic<time_point> lost_at_{time_point::min()};

  mutable std::mutex mutex_;
  std::condition_variable idle_;
  detail::pool_core core_;
  std::vector<std::unique_ptr<connection>> slots_;
  std::optional<ticker> ticker_;
  /// For when it is set.
  time_point planned_ = time_point::max();
  std::shared_ptr<fleet_keeper> fleet_;
  cancel_sender cancels_;
  // For what blocks. Last, so that they are empty before the rest goes. Checks and recovery, which
  // on a dead network all take as long as they may, are not in the way of the dials.
  work_pool workers_, menders_;
};

}  // namespace scalekit::db::postgres

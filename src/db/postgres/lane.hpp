#pragma once

#include "core/stake.hpp"
#include "db/postgres/host_pool.hpp"
#include "db/postgres/lane_member.hpp"
#include "db/postgres/reactor_port.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace scalekit::db::postgres {

/// A connection that many callers share: what they ask in one turn of the event loop goes out
/// together, as one group with one Sync, and the next group does not wait for its answers.
///
/// Only for statements that are proven to lock nothing and to call nothing volatile: to the server
/// a group is one transaction. A failure reaches only its own caller; those behind it in the group,
/// which the server skips, run once more, each under a Sync of its own. So do those ended by a
/// deadlock, a serialization failure or a cancel, and all that a broken connection left unanswered:
/// the latter only where there is one host, for a server that comes back may be behind what a read
/// was sent there for.
///
/// The connection is taken from the host's pool while there is something to do. Where others wait
/// for one, or it is to be closed, it is given back after what is under way.
///
/// Each member waits for a connection as long as acquire_timeout, counted from its own beginning.
/// At most max_waiting wait; beside a connection as many more gather for the next groups as may be
/// under way. The newest of those beyond it are turned away.
///
/// Thread safety: the public members may be called from any thread.
class lane : public std::enable_shared_from_this<lane> {
 public:
  /// Under way at once: beyond it, more only waits inside the server.
  static constexpr std::size_t max_under_way = 1024;
  static constexpr std::size_t max_bytes_under_way = std::size_t{4} << 20;

  /// Who asks. Those that follow their answers in the loop have asked again when the next group
  /// goes out. Threads have yet to be scheduled: what some ask meanwhile waits for the others.
  enum class callers : std::uint8_t { in_loop, threads };

  /// `patience`: of each for the wait for a connection. `is_one_of_many`: there are other hosts, so
  /// what a broken connection left unanswered is settled as lost.
  lane(std::shared_ptr<host_pool> pool, boost::asio::any_io_executor loop,
       std::chrono::nanoseconds patience, bool is_one_of_many, callers of);

  /// Settles `m` once, on the loop; never from inside this function.
  void submit(lane_member_ptr m);

  /// Nobody wants `m`'s result any more: settles it with `why` unless it was settled. What the
  /// server does for it goes on.
  void abandon(const lane_member_ptr& m, std::exception_ptr why);

  /// Ready once all that was submitted before waits for a connection or has one: see
  /// host_pool::wait_until_idle().
  std::future<void> collected();

  /// Everything that waits is settled with errc::closed, and so is what comes after.
  void close();

  /// Members that wait or are under way.
  std::size_t load() const noexcept { return load_.load(std::memory_order_relaxed); }

 private:
  using stake = scalekit::detail::stake<lane>;
  friend stake;

  // All on the strand.
  void turn();
  std::size_t collect();
  void pump();
  bool have_connection();
  bool is_usable(const lent_connection& lent) const;
  void connected(std::exception_ptr e, lent_connection lent);
  void waited_in_vain(const std::exception_ptr& e);
  bool may_send() const;
  void send_group();
  bool is_unfit(const lane_member_ptr& m);
  void wait();
  void on_ready();
  void drop(std::string why);
  void release_broken();
  time_point stall_due() const noexcept;
  void sort_out(const std::vector<exchange_ptr>& ended);
  void judge(lane_member_ptr m);
  void run_again(lane_member_ptr m, bool alone);
  void run_elsewhere(lane_member_ptr m);
  void settle(const lane_member_ptr& m, std::exception_ptr failure);
  void settle_all(const std::exception_ptr& failure);
  void plan(time_point until);
  time_point waits_since(const lane_member& m) const noexcept;
  time_point end_of_wait(const lane_member& m) const noexcept;
  time_point due(const lane_member& m) const noexcept;
  void expire();
  void turn_away(std::size_t came);
  std::exception_ptr late_error(const lane_member& m) const;
  std::exception_ptr too_many_error(const lane_member& m) const;
  void rest();
  /// The loop has gone: nobody will be told anything any more.
  void forsake() noexcept;

  const std::shared_ptr<host_pool> pool_;
  const boost::asio::any_io_executor loop_;
  const loop_strand strand_;
  const std::chrono::nanoseconds patience_;
  const bool is_one_of_many_;
  const callers callers_;
  std::atomic<std::size_t> load_{0};

  std::mutex inbox_mutex_;
  std::vector<lane_member_ptr> inbox_;
  /// A turn is posted, or is running and will look again.
  bool turning_ = false;

  // Touched on the strand only.
  std::vector<lane_member_ptr> collected_;
  std::deque<lane_member_ptr> queue_;
  // In the order in which they were sent.
  std::deque<lane_member_ptr> flying_;
  std::size_t flying_bytes_ = 0;
  std::vector<exchange_ptr> ended_;
  std::vector<lane_member_ptr> to_settle_;
  lent_connection lent_;
  bool asking_ = false;
  /// When the connection was asked for that is waited for.
  time_point asked_at_{};
  /// On this loan of the connection.
  bool has_sent_ = false;
  bool waiting_ = false;
  bool writing_ = false;
  bool closed_ = false;
  /// When a connection was lost last.
  time_point lost_at_{};
  /// Since a connection was lost nothing has been answered: others may be as dead.
  bool suspicious_ = false;
  /// The server has said that it ends the connection.
  bool ending_ = false;
  /// The connection is given up for what runs on it; there is nothing wrong with its server.
  bool giving_up_ = false;
  /// Counts the connections: a wait for an earlier one may be heard of late.
  std::uint64_t epoch_ = 0;
  std::optional<boost::asio::steady_timer> timer_;
  time_point planned_ = time_point::max();
  time_point last_answer_{};
  /// From the sending of the last group to its first answers.
  std::chrono::nanoseconds round_trip_{};
};

}  // namespace scalekit::db::postgres

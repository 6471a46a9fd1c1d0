#pragma once

#include "core/stake.hpp"
#include "redis/call_errors.hpp"
#include "redis/login.hpp"
#include "redis/master_watch.hpp"
#include "redis/resolve.hpp"
#include "redis/site.hpp"
#include "redis/way_back.hpp"
#include "redis/wire.hpp"
#include "scalekit/redis/detail/call.hpp"
#include "scalekit/redis/statistics.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace scalekit::redis::detail {

/// What a lane is for.
enum class lane_use {
  /// Many calls at once.
  shared,
  /// One at a time, which the server may keep for as long as it likes: a call that is given up
  /// costs
  /// the connection.
  exclusive,
};

/// A connection that many callers share: what they ask in one turn of the event loop goes out
/// together, and does not wait for the answers to what went before. Answers are matched by their
/// order, so a call that nobody waits for any more stays in its place until its answer has come.
///
/// It connects when there is something to send, and waits for the socket only while answers are to
/// come: an idle lane keeps no loop alive, and is looked at before it is used again.
///
/// Thread safety: submit(), abandon(), retire(), close(), load() and statistics() may be called
/// from any thread.
class lane final : public call_owner, public std::enable_shared_from_this<lane> {
 public:
  lane(std::shared_ptr<site> at, const boost::asio::any_io_executor& loop, lane_use use);

  /// Finishes `c` once, on the loop; never from inside this function. Throws errc::shed.
  void submit(call_ptr c);

  void abandon(const call_ptr& c, std::exception_ptr why) override;

  /// Where sentinels say which server it is: a connection of a term older than `term` is given up,
  /// at once or once what is under way on it was answered; see master_watch.
  void retire(std::uint64_t term, const std::string& why, bool at_once);

  /// Everything that waits is settled with errc::closed, and so is what comes after.
  void close();

  /// Before its loop goes: nobody comes back into it from another thread any more.
  void leave_loop() noexcept { way_back_->close(); }

  /// Calls that wait or are under way, among them those that nobody waits for.
  std::size_t load() const noexcept { return load_.load(std::memory_order_relaxed) >> size_bits; }

  void add_to(lane_statistics& s) const noexcept;

  const site& at() const noexcept { return *site_; }

 private:
  using stake = scalekit::detail::stake<lane>;
  friend stake;
  enum class state { off, pausing, dialing, login, ready };

  // Any thread.
  void admit(call& c);

  // All that follows: on the strand.
  void turn();
  void collect(bool is_last);
  void take_in(call_ptr c, time_point now, time_point& first);
  void pump();
  void send_waiting();
  void flush();
  void await_answers();
  void rest();

  void dial();
  void begin_dial();
  void find_master();
  void on_master(const master_answer& said);
  void resolve(const place& where);
  void connect_to(resolved found);
  void connect_next();
  void on_connect(const wire_ptr& w, const boost::system::error_code& ec);
  void on_login(const wire_ptr& w);
  void dial_failed(std::string why, bool is_hopeless, errc code = errc::unavailable);
  bool take_office();
  void outdated(const std::string& why, bool at_once);
  void ready();
  bool is_outage(time_point now) const noexcept;

  void on_read(const wire_ptr& w, const boost::system::error_code& ec, std::size_t size);
  void read_answers(const wire_ptr& w);
  void deliver(reply&& next);
  void deliver_refusal(call_ptr c, const reply& answer);
  void take_to_master(call_ptr c);
  /// What the loss of a connection means for the call whose answer was to come next.
  enum class blame { nobody, reply_too_large, not_redis };
  void lose(const std::string& why, blame first);
  void settle_unfit(const call_ptr& c, const std::string& why, blame first);
  void drop_wire() noexcept;

  void settle(const call_ptr& c, const error& failure);
  void close_now();
  void leave(call& c) noexcept;
  void purge();
  void plan(time_point until);
  void plan_all();
  void expire();
  void give_up(time_point now);
  time_point due(const call& c) const noexcept;
  time_point silence_due() const noexcept;
  call_fate fate_of(const call& c) const noexcept;
  connection_state condition() const;
  /// The loop has gone: nobody will be told anything any more.
  void forsake() noexcept;

  /// load_ counts calls above these bits, and their bytes in them.
  static constexpr unsigned size_bits = 40;
  static constexpr std::uint64_t one_call = std::uint64_t{1} << size_bits;

  const std::shared_ptr<site> site_;
  const boost::asio::any_io_executor loop_;
  const boost::asio::strand<boost::asio::any_io_executor> strand_;
  const lane_use use_;
  const std::size_t max_in_flight_;
  std::atomic<std::uint64_t> load_{0};
  std::atomic<std::size_t> in_flight_{0};
  std::atomic<bool> connected_{false};

  std::mutex inbox_mutex_;
  std::vector<call_ptr> inbox_;
  /// A turn is posted, or is running and will look again.
  bool turning_ = false;

  // On the strand only.
  std::vector<call_ptr> collected_;
  std::deque<call_ptr> queue_;
  // In the order in which they were sent.
  std::deque<call_ptr> flying_;
  std::size_t dead_in_queue_ = 0;
  state state_ = state::off;
  bool is_over_ = false;
  wire_ptr wire_;
  /// Of the connection, or of the last attempt.
  place server_;
  time_point last_heard_{};
  /// When a socket that took nothing did so again.
  time_point last_room_{};

  // Dialing.
  std::unique_ptr<login> login_;
  resolved candidates_;
  std::size_t next_candidate_ = 0;
  std::string candidate_failure_;
  boost::asio::steady_timer dial_timer_;
  /// Of who resolves its name.
  const std::shared_ptr<way_back> way_back_ = std::make_shared<way_back>();
  std::uint64_t dial_ = 0;
  time_point dial_begun_{};
  std::uint64_t failures_ = 0;
  time_point next_dial_{};
  time_point outage_since_ = time_point::max();
  bool is_hopeless_ = false;
  std::string last_failure_;
  errc last_code_ = errc::unavailable;

  // Of a connection whose server sentinels have named.
  std::optional<master_answer> master_;
  /// No master any more: nothing more is sent.
  bool is_outdated_ = false;
  /// Calls that were given back by it, at the front of queue_.
  std::ptrdiff_t given_back_ = 0;

  boost::asio::steady_timer timer_;
  time_point planned_ = time_point::max();
};

}  // namespace scalekit::redis::detail

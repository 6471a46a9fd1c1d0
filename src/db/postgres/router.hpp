#pragma once

#include "db/call_frame.hpp"
#include "db/postgres/fit.hpp"
#include "db/postgres/host_watch.hpp"
#include "scalekit/db/causal_token.hpp"
#include "scalekit/db/detail/backend.hpp"
#include "scalekit/db/options.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

namespace scalekit::db::postgres {

/// The host that a call goes to.
struct destination {
  host_ptr at;
  expectation of = {};

  explicit operator bool() const noexcept { return at != nullptr; }
};

/// Where calls go. With one host that is the answer to everything, and costs nothing; with several
/// the host_board decides, and who finds no host waits for one: up to acquire_timeout, or up to the
/// call's deadline for a replica that is to catch up.
///
/// Thread safety: every member may be called from any thread.
class router {
 public:
  router(const settings& s, std::vector<host_ptr> hosts);
  ~router();
  router(const router&) = delete;
  router& operator=(const router&) = delete;

  /// One call on its way to a host. Points into the call's options and frame.
  struct query {
    detail::access kind = detail::access::read;
    detail::read_request read;
    /// It must see the newest write of this client.
    bool is_of_client = false;
    /// ... and what the call itself names.
    bool is_of_token = false;
    /// How long a host is waited for.
    time_point patience;
    std::source_location site;
    const detail::call_frame* call = nullptr;
  };
  query to_write(const detail::call_frame& call, const std::source_location& site) const;
  query to_read(const call_options& options, const detail::call_frame& call,
                const std::source_location& site,
                std::optional<detail::failed_read> failed_on = {}) const;

  /// Blocks. Throws unavailable, write_lost, invalid_argument (a token of another database),
  /// cancelled or closed.
  destination find(query q);

  /// Without waiting: a host, or null where there is none now. Throws what waiting would not
  /// change.
  destination try_find(query& q);

  /// As find(), without a thread that waits: calls `then` once, on `where`, never from inside this
  /// function. What `q` points to, and the router, must live until then.
  using found = std::function<void(std::exception_ptr, destination)>;
  void async_find(query q, boost::asio::any_io_executor where, found then);

  /// To be called when a call has its connection, before anything is written on that; by a write,
  /// where it has waited. Throws
  /// unavailable for a write, where another host, or none, takes the writes by now; misrouted for a
  /// read, where the connection is not what was expected.
  void require_fit(detail::access kind, const destination& to, connection& c,
                   const std::source_location& site);

  // What calls report.

  /// A read was not made on a connection that was made no later than `made_at`.
  void note_misfit(const host& at, misfit what, time_point made_at) noexcept;

  /// A write that began at `begun` was acknowledged. Where the server has not said its position,
  /// `token` is empty: reads that must see it go to the primary, until a later write tells one.
  void wrote(const causal_token& token, time_point begun,
             const std::optional<db::session>& by) noexcept;
  /// A call that had a connection of `at` failed: `on`, or null where it shared one.
  void failed(const host& at, detail::access kind, const std::exception_ptr& e,
              connection* on) noexcept;
  /// A call's answer has come on `c`: whether its server is a standby may be news.
  void note_role(const host& at, connection& c) noexcept;

  bool has_choice() const noexcept { return watch_ != nullptr; }
  void close();

  /// Adds the hosts, and the pools of readers and writer.
  void describe(client_statistics& out) const;

 private:
  friend class call_on_host;
  friend struct waiting_route;

  /// One look at the board: a host, an error, or when to look again.
  struct look_result {
    destination to = {};
    std::exception_ptr failure = {};
    std::uint64_t seen = 0;
    time_point again = {};
  };
  void require_writer(const host& at, const std::source_location& site) const;
  look_result look(query& q);
  look_result look_for_writer(const query& q);
  look_result look_for_reader(query& q);
  void forget(const causal_token& lost, std::chrono::nanoseconds min_age = {}) noexcept;
  std::optional<causal_token> newest_write(const std::optional<db::session>& by) const;
  look_result refuse(const query& q, detail::refusal why, const std::string& explanation,
                     std::uint64_t seen) const;

  const client_params& params_;
  const fork_guard guard_;
  const std::vector<host_ptr> hosts_;
  std::shared_ptr<host_watch> watch_;
  mutable std::mutex mutex_;
  /// The newest write of this client.
  causal_token newest_;
  time_point newest_at_{};
  /// Since when there is a write whose position is not known.
  std::optional<time_point> unplaced_since_;
};

/// Counts a call among those under way on its host, which has a say in who gets the next.
class call_on_host {
 public:
  call_on_host() = default;
  call_on_host(router& r, const host& at, detail::access kind)
      : watch_(r.watch_.get()), id_(at.id) {
    if (kind == detail::access::read) at.reads.fetch_add(1, std::memory_order_relaxed);
    if (watch_ == nullptr) return;
    began_ = std::chrono::steady_clock::now();
    watch_->call_began(id_);
  }
  call_on_host(call_on_host&& other) noexcept
      : watch_(std::exchange(other.watch_, nullptr)),
        id_(other.id_),
        began_(other.began_),
        answered_(other.answered_) {}
  call_on_host& operator=(call_on_host&& other) noexcept {
    end();
    watch_ = std::exchange(other.watch_, nullptr);
    id_ = other.id_;
    began_ = other.began_;
    answered_ = other.answered_;
    return *this;
  }
  ~call_on_host() { end(); }

  /// It ran to its end, which tells how fast the host is.
  void answered() noexcept { answered_ = true; }

 private:
  void end() noexcept {
    if (watch_ == nullptr) return;
    std::optional<std::chrono::nanoseconds> took;
    if (answered_) took = std::chrono::steady_clock::now() - began_;
    std::exchange(watch_, nullptr)->call_ended(id_, took);
  }

  host_watch* watch_ = nullptr;
  detail::host_id id_ = 0;
  time_point began_ = {};
  bool answered_ = false;
};

}  // namespace scalekit::db::postgres

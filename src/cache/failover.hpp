#pragma once

#include "cache/fallback_store.hpp"
#include "cache/shared_line.hpp"
#include "scalekit/cache/statistics.hpp"
#include "scalekit/cache/store_params.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/deadline.hpp"
#include "scalekit/core/execution.hpp"
#include "scalekit/core/log.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace scalekit::cache::detail {

/// Between a shared tier and what keeps its values: its server, or, while that is left alone, a
/// fallback on this machine.
///
/// - healthy: the server has all, the fallback nothing.
/// - degraded, while the server's breaker is not closed, or by order: the fallback is emptied
/// first. Then
///   lookups that the server does not answer, and their fills, go there, and so does each change,
///   which the server is owed besides.
/// - recovering, for fallback_params::return_over from when the breaker has closed: a growing share
///   of the keys is looked up on the server again; changes go to both.
///
/// So what this process has changed is seen changed in each state: the server is paid what it is
/// owed before it is read, and the fallback holds nothing from before it heard of every change. A
/// fill is stored only where its claim was made. Of two changes of a key that overlap the fallback
/// keeps neither.
///
/// Thread safety: all members may be called from any thread.
class failover {
 public:
  /// `fallback`: null where there is none; then the server's failures are told as they are.
  failover(std::unique_ptr<shared_driver> driver, std::unique_ptr<fallback_store> fallback,
           const store_params& params);

  /// Whether start() is the way now. A fallback is for calls that block: while it is in use what is
  /// asynchronous blocks a thread of the work executor.
  bool is_asynchronous() const noexcept;
  void close() noexcept { line_.close(); }

  /// As shared_line's, whose conditions hold.
  shared_result run(const shared_request& what, const deadline& until);
  void start(shared_request what, const deadline& until, std::stop_token stop,
             shared_driver::callback then);

  /// To be erased before it is read again, wherever.
  void owe(std::string_view key);

  void force(shared_mode mode) noexcept { mode_ = mode; }
  /// As of the last call that went through here.
  shared_state state() const noexcept;

  const shared_line& line() const noexcept { return line_; }
  /// Null where there is none.
  const fallback_store* fallback() const noexcept { return fallback_.get(); }

 private:
  enum class phase : std::uint8_t { healthy, opening, degraded, recovering };
  /// Where a request goes. `both`: a change to each of them; anything else to the server, and to
  /// the fallback if that does not answer. `nowhere`: its claim was made where nobody looks now.
  enum class route { server, both, fallback, nowhere };

  bool is_away() const noexcept;
  phase next(phase now, bool is_away) const;
  phase advance();
  route route_of(const shared_request& what);
  bool is_back_for(const shared_request& what) const;
  void forget(const shared_request& what) noexcept;
  shared_result ask_fallback(const shared_request& what, const deadline& until,
                             const fallback_store::tokens& begun_at);

  const execution exec_;
  const clock& clock_;
  const log_sink log_;
  const std::chrono::nanoseconds return_over_;
  shared_line line_;
  const std::unique_ptr<fallback_store> fallback_;
  std::atomic<shared_mode> mode_{shared_mode::automatic};
  std::atomic<phase> phase_{phase::healthy};
  /// Of the phases.
  std::mutex turn_;
  std::atomic<time_point> returns_since_{};
};

}  // namespace scalekit::cache::detail

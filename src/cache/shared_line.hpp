#pragma once

#include "cache/debt_journal.hpp"
#include "cache/owed_erasures.hpp"
#include "cache/shared_driver.hpp"
#include "scalekit/cache/store_params.hpp"
#include "scalekit/core/circuit_breaker.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/counter.hpp"
#include "scalekit/core/deadline.hpp"
#include "scalekit/core/execution.hpp"
#include "scalekit/core/log.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <stop_token>
#include <string>

namespace scalekit::cache::detail {

/// The way to the server of a shared tier: how long it may take, whether it is asked at all, and
/// what must be erased there first.
///
/// After several failures in a row the server is left alone for a while. A change that it was not
/// told of, or perhaps not, is owed: nothing is read there before that is paid. Calls fail with
/// what the driver says, and with errc::unavailable.
///
/// Thread safety: all members may be called from any thread.
class shared_line {
 public:
  shared_line(std::unique_ptr<shared_driver> driver, const store_params& params);

  bool is_asynchronous() const noexcept { return is_asynchronous_; }
  const std::string& server() const noexcept { return server_; }
  std::chrono::nanoseconds timeout() const noexcept { return timeout_; }

  /// Lets the driver go, whose connections may be those of the host's loop: what comes later fails
  /// with errc::closed. Waits for calls of run(), which end by their timeouts; whoever is under way
  /// with start() is left to the driver.
  void close() noexcept;

  /// Not beyond `until`, nor longer than store_params::shared_timeout.
  shared_result run(const shared_request& what, const deadline& until);

  /// Calls back once, from any thread, never from inside. For asynchronous drivers.
  void start(shared_request what, const deadline& until, std::stop_token stop,
             shared_driver::callback then);

  /// In place of run(), without asking the server: a change is owed.
  shared_result decline(const shared_request& what);

  /// To be erased before it is read again.
  void owe(std::string_view key) {
    owed_.add(key);
    note_debts();
  }

  struct counts {
    counter read_errors, write_errors, paused;
  };
  const counts& counted() const noexcept { return counts_; }
  breaker_state breaker() const noexcept { return breaker_.state(); }
  const owed_erasures& owed() const noexcept { return owed_; }

 private:
  /// What is erased before a request is sent.
  struct debt {
    shared_request request;
    owed_erasures::payment payment;
  };

  /// The time of a call, and whether its caller gives it less than others have.
  struct allowance {
    time_point end;
    bool is_hasty;
  };
  /// One of the two.
  struct admission {
    std::optional<circuit_breaker::permit> leave;
    std::optional<error> refusal;
  };

  allowance allow(const deadline& until) const noexcept;
  std::optional<debt> debt_of(const shared_request& what) const;
  /// Precondition: driver_mutex_ is held, until the driver was used.
  admission admit(const shared_request& what, const allowance& time);
  void settle(const shared_request& what, const shared_result& result,
              circuit_breaker::permit& leave, bool is_hasty);
  void owe_change(const shared_request& what);
  void note_paid(const owed_erasures::payment& what) {
    owed_.paid(what);
    note_debts();
  }
  void note_debts() noexcept {
    if (journal_) journal_->note();
  }
  shared_result run_one(const shared_request& what, const allowance& time);
  void start_one(shared_request what, const allowance& time, std::stop_token stop,
                 shared_driver::callback then);

  const bool is_asynchronous_;
  const std::string server_;
  std::atomic<bool> is_closing_{false};
  /// Held shared by who uses the driver, alone by who lets it go.
  std::shared_mutex driver_mutex_;
  std::unique_ptr<shared_driver> driver_;
  const std::chrono::nanoseconds timeout_;
  const execution exec_;
  counts counts_;
  circuit_breaker breaker_;
  owed_erasures owed_;
  std::optional<debt_journal> journal_;
};

}  // namespace scalekit::cache::detail

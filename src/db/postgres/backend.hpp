#pragma once

#include "core/io_home.hpp"
#include "db/call_frame.hpp"
#include "db/classify/proof_book.hpp"
#include "db/postgres/drive.hpp"
#include "db/postgres/function_book.hpp"
#include "db/postgres/host.hpp"
#include "db/postgres/router.hpp"
#include "db/postgres/settings.hpp"
#include "db/postgres/statement_book.hpp"
#include "db/postgres/statement_call.hpp"
#include "scalekit/core/fork_guard.hpp"
#include "scalekit/core/work_pool.hpp"
#include "scalekit/db/detail/backend.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace scalekit::db::postgres {

class second_chance;

/// How long a write whose time is over is waited for, once its cancel is on the way: what became
/// of it is worth more than the time.
inline constexpr std::chrono::milliseconds cancel_grace{500};

/// What of a read-only transaction's options decides where it runs.
call_options as_call(const transaction_options& options);

/// The driver: which host a call goes to, on which kind of connection, and what it reports.
class backend final : public detail::backend, public std::enable_shared_from_this<backend> {
 public:
  backend(settings s, scalekit::execution exec);
  ~backend() override;

  write_result run(detail::access kind, const statement& query, const call_options& options,
                   detail::row_sink* rows) override;
  void async_run(detail::access kind, statement&& query, call_options&& options,
                 std::shared_ptr<detail::async_call> call) override;
  write_result run(const detail::batch_members& members, const call_options& options,
                   const std::source_location& site) override;
  void async_run(detail::batch_members members, call_options&& options,
                 const std::source_location& site,
                 std::shared_ptr<detail::async_call> call) override;
  detail::access kind_of(const statement& query) override;
  bool is_write_after_all(const statement& query, const error& e) override;
  std::unique_ptr<detail::transaction_backend> begin(const transaction_options& options,
                                                     const std::source_location& site) override;
  void async_begin(transaction_options options, const std::source_location& site,
                   std::shared_ptr<detail::async_transaction_call> call) override;
  bool is_retryable(const error& e) const noexcept override;
  std::chrono::nanoseconds statement_timeout() const noexcept override {
    return settings_.params.statement_timeout;
  }
  std::chrono::nanoseconds transaction_timeout() const noexcept override {
    return settings_.params.transaction_timeout;
  }
  void call_after(std::chrono::nanoseconds pause, std::function<void()> then) override;
  db::dialect dialect() const noexcept override { return db::dialect::postgres; }
  void close(std::chrono::nanoseconds timeout) override;
  client_statistics statistics() const override;
  const scalekit::execution& execution() const noexcept override { return exec_; }

  // For transactions.

  error closed_error() const;
  io_home& io() noexcept { return *io_; }
  const client_params& params() const noexcept { return settings_.params; }
  /// Throws errc::forked, or errc::not_allowed on an I/O thread.
  void check_thread(std::string_view operation) const;
  bool is_forked() const noexcept { return fork_guard_.is_forked(); }
  bool is_closing() const noexcept { return closing_.load(std::memory_order_relaxed); }
  router& routes() noexcept { return router_; }
  /// Takes note of an acknowledged write, for those reads that must see it.
  void wrote(const causal_token& token, time_point begun,
             const std::optional<session>& by) noexcept {
    router_.wrote(token, begun, by);
  }
  /// Where a call goes, `failed_on` last; waits for a host. Throws what router::find() throws.
  destination host_for(detail::access kind, const call_options& options, detail::call_frame& call,
                       const std::source_location& site,
                       std::optional<detail::failed_read> failed_on = {});
  /// After misrouted.
  bool may_look_again(const detail::call_frame& call) const noexcept {
    return !is_closing() && !call.is_stopped() && !call.until.expired();
  }
  bool is_read_by_text(const statement& query);
  statement_entry_ptr entry_for(const statement& query, detail::access kind);
  /// Of a statement that must be a COPY of that kind.
  statement_entry_ptr copy_entry_for(const statement& query, detail::statement_kind kind);
  /// Holds a conversation on the calling thread, within the limits of a call. Where it throws or is
  /// interrupted and leaves the connection out of order, says so in `how`.
  void converse(host& at, connection& c, statement_call& what, const detail::call_frame& call,
                const std::source_location& site, detail::returned& how);
  error interruption(wait_end why, const detail::call_frame& call, const std::source_location& site,
                     const std::string& origin) const;
  /// Of a write that was interrupted and has not been answered since.
  error in_doubt(const error& interrupted) const;
  /// Whether the server ended the statement because it was asked to.
  static bool is_cancel(const std::exception_ptr& e);
  /// Requested when what still runs must end.
  std::stop_token stopping() const noexcept { return stopping_.get_token(); }
  /// Reports the statements of a call. What they took together, of which the server says no more,
  /// is divided evenly.
  void track(std::span<const call_member> members, const detail::call_frame& call,
             const statement_call* done, const std::exception_ptr& failure) noexcept;
  void report(const statement& query, const statement_entry& entry, const detail::call_frame& call,
              const reply& got, time_point answered, const std::exception_ptr& failure,
              std::size_t shared_by = 1) noexcept;
  /// What a read on a connection of its own took, for whether it may share one.
  void note_time(const statement_entry& entry, const statement_call& done);
  call_shape shape_of(detail::access kind) const noexcept;
  std::vector<call_member> members_of(const detail::batch_members& batch);

  /// Reads or fails by what a lane has brought, and reports it.
  void finish_lane_read(lane_member& m, const host& at, const statement& query,
                        detail::call_frame& call, detail::row_sink* rows,
                        std::exception_ptr& failure) noexcept;

  struct counters {
    std::atomic<std::uint64_t> statements{0}, failed{0}, committed{0}, rolled_back{0}, hits{0},
        misses{0}, shared{0};
  };
  counters& counted() noexcept { return counters_; }

 private:
  /// Statements that go together, and where they were called.
  struct call_work {
    detail::access kind;
    std::span<call_member> members;
    const std::source_location& site;
  };
  detail::call_frame admit(const call_options& options, const std::source_location& site) const;
  write_result run(const call_work& work, const call_options& options, detail::call_frame& call);
  /// `was_tracked`: it got as far as to a connection, and has told of its end.
  write_result run_once(const call_work& work, const call_options& options,
                        detail::call_frame& call, second_chance& chance, bool& was_tracked);
  /// Whether a read may share a connection now; starts the proof of one that might.
  bool may_share(const host_ptr& at, const statement& query, const statement_entry_ptr& entry,
                 time_point now);
  /// False: it was told that the client is closed. Throws errc::forked.
  bool admit_async(const std::shared_ptr<detail::async_call>& call);
  /// Finishes it, later.
  void refuse(const std::shared_ptr<detail::async_call>& call, std::exception_ptr e);
  /// False: the call needs a connection of its own, and nothing was moved from.
  bool start_in_lane(statement& query, call_options& options, const detail::call_frame& frame,
                     const statement_entry_ptr& entry,
                     const std::shared_ptr<detail::async_call>& call);
  void start_proof(const host_ptr& at, const statement_entry_ptr& entry, time_point started);
  write_result run_in_lane(const destination& to, const statement& query,
                           const statement_entry_ptr& entry, detail::row_sink* rows,
                           detail::call_frame& call);
  lent_connection take(host& from, const detail::pool_user& user, detail::call_frame& call,
                       detail::access kind);

  static std::vector<host_ptr> make_hosts(const settings& s, const std::shared_ptr<io_home>& io);

  const settings settings_;
  const scalekit::execution exec_;
  const fork_guard fork_guard_;
  std::atomic<bool> closing_{false};
  std::stop_source stopping_;
  std::shared_ptr<io_home> io_;
  statement_book book_;
  // Shared with the proofs under way, which nobody waits for.
  const std::shared_ptr<detail::proof_book> proofs_;
  const std::shared_ptr<function_book> functions_ = std::make_shared<function_book>();
  std::vector<host_ptr> hosts_;
  router router_;
  counters counters_;
};

}  // namespace scalekit::db::postgres

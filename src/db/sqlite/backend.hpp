#pragma once

#include "db/lease_pool.hpp"
#include "db/sqlite/call_frame.hpp"
#include "db/sqlite/connection.hpp"
#include "db/sqlite/queued_write.hpp"
#include "db/sqlite/settings.hpp"
#include "db/sqlite/write_group.hpp"
#include "scalekit/core/fork_guard.hpp"
#include "scalekit/db/detail/backend.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace scalekit::db::sqlite {

/// A place for a connection, which is opened when first lent, and its counters.
struct slot {
  std::unique_ptr<connection> conn;
  // Written by the holder of the lease only.
  std::atomic<std::uint64_t> statements{0}, failed{0}, committed{0}, rolled_back{0}, hits{0},
      misses{0};

  static void add(std::atomic<std::uint64_t>& counter, std::uint64_t n) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  static void add_one(std::atomic<std::uint64_t>& counter) noexcept { add(counter, 1); }
};

/// Slots of one kind and who may use them.
struct slot_group {
  slot_group(const std::string& name, connection_role r, std::size_t count, const settings& s,
             const scalekit::execution& exec)
      : role(r),
        pool(std::make_shared<detail::lease_pool>(name, count, s.params.max_waiting, exec)),
        slots(count) {}

  connection_role role;
  std::shared_ptr<detail::lease_pool> pool;
  std::vector<slot> slots;
};

class sqlite_backend final : public detail::backend,
                             public std::enable_shared_from_this<sqlite_backend> {
 public:
  sqlite_backend(settings s, scalekit::execution exec);
  ~sqlite_backend() override;

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
  std::chrono::nanoseconds statement_timeout() const noexcept override {
    return settings_.params.statement_timeout;
  }
  std::chrono::nanoseconds transaction_timeout() const noexcept override {
    return settings_.params.transaction_timeout;
  }
  db::dialect dialect() const noexcept override { return db::dialect::sqlite; }
  void close(std::chrono::nanoseconds timeout) override;
  client_statistics statistics() const override;
  const scalekit::execution& execution() const noexcept override { return exec_; }

  // For transactions.

  const client_params& params() const noexcept { return settings_.params; }
  /// Throws errc::forked, or errc::not_allowed on an I/O thread.
  void check_thread(std::string_view operation) const;
  bool is_forked() const noexcept { return fork_guard_.is_forked(); }
  stop_condition limits_of(const call_frame& call) const noexcept;
  /// Runs on a connection that the caller holds, and reports to the tracker.
  write_result run_on(slot& s, detail::access kind, const statement& query, detail::row_sink* rows,
                      const call_frame& call);
  /// To be called before the lease of `s` ends: does not keep what must not be used again.
  void leave(slot& s) noexcept;

 private:
  slot_group& group_for(detail::access kind) noexcept;
  error closed_error() const;
  connection& connect(slot_group& group, slot& s, const call_frame& call);
  detail::lease_request request_for(const std::source_location& site, const call_frame& call,
                                    bool transaction) const noexcept;
  write_result run_with(detail::lease lent, slot_group& group, detail::access kind,
                        const statement& query, detail::row_sink* rows, const call_frame& call);

  // Writes outside transactions, which may share a commit.
  bool shares_commits() const noexcept { return readers_.has_value(); }
  write_result run_write(const statement& query, const call_options& options,
                         detail::row_sink* rows, const call_frame& call);
  void async_write(statement&& query, call_options&& options,
                   std::shared_ptr<detail::async_call> call);
  write_result run_queued(detail::lease lent, queued_write& mine);
  bool run_group(slot& s, queued_write& mine, detail::companions& others);
  verdict run_member(slot& s, queued_write& w, time_point now);
  void commit_group(slot& s, const std::vector<queued_write*>& members);
  void break_up(slot& s, const std::vector<queued_write*>& members,
                const queued_write* stopped) noexcept;

  std::unique_ptr<detail::transaction_backend> start_transaction(detail::lease lent,
                                                                 const call_frame& call,
                                                                 const transaction_options& options,
                                                                 std::stop_token also_stop);
  /// Counts and reports a statement whose outcome is final.
  void account(slot& s, const statement& query, const call_frame& call, execution_report& report,
               const std::exception_ptr& failure) const noexcept;
  void track(const statement& query, const call_frame& call, const execution_report& report,
             const std::exception_ptr& failure) const noexcept;
  /// For a call that never got a connection: a starved pool shows in the statements it starves.
  void track_refusal(const statement& query, const call_frame& call,
                     const std::exception_ptr& failure) const noexcept;
  slow::statement_ref tracked(const statement& query) const noexcept;
  bool wait_until_idle(time_point until);

  const settings settings_;
  const scalekit::execution exec_;
  const fork_guard fork_guard_;
  std::atomic<bool> closing_{false};
  std::atomic<bool> stop_running_{false};
  slot_group writer_;
  // Absent for a database in memory, which lives in its only connection.
  std::optional<slot_group> readers_;
  // Written by the holder of the writer only.
  std::atomic<std::uint64_t> shared_commits_{0}, writes_in_shared_commits_{0}, groups_broken_up_{0};
};

}  // namespace scalekit::db::sqlite

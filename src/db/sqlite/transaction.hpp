#pragma once

#include "db/lease_pool.hpp"
#include "db/sqlite/backend.hpp"
#include "scalekit/db/detail/backend.hpp"

#include <memory>
#include <stop_token>
#include <string>

namespace scalekit::db::sqlite {

/// A transaction on a connection that it holds.
class sqlite_transaction final : public detail::transaction_backend {
 public:
  /// Begins it. Throws what beginning throws; the lease is then given back.
  sqlite_transaction(std::shared_ptr<sqlite_backend> backend, detail::lease lent, slot& s,
                     deadline until, const transaction_options& options, std::stop_token also_stop);
  ~sqlite_transaction() override;

  write_result run(detail::access kind, const statement& query, const call_options& options,
                   detail::row_sink* rows) override;
  void run(const detail::batch_members& members, const call_options& options,
           const std::source_location& site) override;
  void run_script(std::string_view script) override;
  bool lock(std::int64_t key, bool wait, const call_options& options,
            const std::source_location& site) override;
  detail::access kind_of(const statement& query) override {
    return read_only_ ? detail::access::read : backend_->kind_of(query);
  }
  void savepoint() override;
  void release_savepoint() override;
  void rollback_to_savepoint() noexcept override;
  write_result commit() override;
  void rollback() noexcept override;
  bool is_open() const noexcept override { return state_ == state::open; }

 private:
  /// ending: rollback() was called by a function that gets rows, which are still being read.
  enum class state { open, ending, aborted, over };

  void require_open(std::string_view operation) const;
  stop_condition limits() const noexcept;
  std::string savepoint_name() const;
  template <class Action>
  void guarded(Action action);
  void end_reading() noexcept;
  void end(std::atomic<std::uint64_t>& counter) noexcept;

  // Before the lease: its pool must outlive it.
  std::shared_ptr<sqlite_backend> backend_;
  detail::lease lent_;
  slot& slot_;
  deadline until_;
  time_point begun_;
  std::stop_token stop_, also_stop_;
  request_scope scope_;
  bool read_only_;
  state state_ = state::open;
  std::string why_aborted_;
  int depth_ = 0;
  bool reading_ = false;
};

}  // namespace scalekit::db::sqlite

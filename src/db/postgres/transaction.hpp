#pragma once

#include "db/postgres/backend.hpp"
#include "db/postgres/commit_inquiry.hpp"
#include "db/postgres/server_identity.hpp"

#include <chrono>
#include <exception>
#include <initializer_list>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <stop_token>
#include <string>

namespace scalekit::db::postgres {

/// Of a connection on which a statement of our own has failed.
inline detail::returned state_of(const link& wire) noexcept {
  return wire.is_quiet() ? detail::returned::healthy : detail::returned::needs_reset;
}

/// A transaction that is open on a connection of its own.
class transaction final : public detail::transaction_backend {
 public:
  /// Begins it. Throws what beginning throws.
  transaction(std::shared_ptr<backend> owner, const destination& to, lent_connection lent,
              const detail::call_frame& begun, const transaction_options& options,
              std::stop_token also_stop, std::source_location site);
  ~transaction() override;

  write_result run(detail::access kind, const statement& query, const call_options& options,
                   detail::row_sink* rows) override;
  void run(const detail::batch_members& members, const call_options& options,
           const std::source_location& site) override;
  void run_script(std::string_view script) override;
  detail::access kind_of(const statement& query) override;
  bool lock(std::int64_t key, bool wait, const call_options& options,
            const std::source_location& site) override;
  std::optional<std::uint64_t> copy_in(const bulk_target& into, detail::row_source& rows,
                                       const call_options& options,
                                       const std::source_location& site) override;
  std::uint64_t copy_out(const statement& query, const piece_taker& take,
                         const call_options& options) override;
  std::uint64_t copy_in(const statement& query, const piece_giver& give,
                        const call_options& options) override;
  std::size_t rows_per_insert() const noexcept override { return 128; }
  void savepoint() override;
  void release_savepoint() override;
  void rollback_to_savepoint() noexcept override;
  write_result commit() override;
  void rollback() noexcept override;
  bool is_open() const noexcept override { return state_ == state::open; }

 private:
  enum class state { open, aborted, over };

  /// Statements that go together.
  void run(detail::access kind, std::span<call_member> members, const call_options& options,
           const std::source_location& site);
  void require_open(std::string_view operation) const;
  void require_allowed(detail::access kind, const call_options& options,
                       const std::source_location& site) const;
  /// Holds a conversation within the transaction's own limits.
  void converse(conversation& what);
  /// Runs statements of our own.
  void control(std::initializer_list<std::string> texts);
  /// `copy(stream, answered)` holds one COPY, and says when its answer has begun to come.
  template <class Copy>
  std::uint64_t run_copy(detail::statement_kind kind, const statement& query,
                         const call_options& options, Copy copy);
  void learn_xid();
  void note_failure(detail::returned how, const std::exception_ptr& failure) noexcept;
  void end(detail::returned how, std::atomic<std::uint64_t>& counter) noexcept;
  void note_evidence(const std::exception_ptr& failure) noexcept;
  detail::call_frame frame() const noexcept;
  /// As the tracker is told of `call`: the first one with the wait for the connection.
  detail::call_frame with_wait(const detail::call_frame& call) noexcept;
  std::string savepoint_name() const { return "scalekit_" + std::to_string(depth_); }
  deadline patience() const noexcept;
  write_result resolve(const error& lost);
  /// Asks once, on another connection.
  void ask(commit_inquiry& inquiry, deadline until);

  const std::shared_ptr<backend> backend_;
  const host_ptr at_;
  lent_connection lent_;
  const deadline until_;
  const time_point begun_;
  /// For the connection; what no statement was charged with yet.
  std::chrono::nanoseconds waited_;
  const std::stop_token stop_, also_stop_;
  const request_scope scope_;
  const std::source_location site_;
  const bool read_only_;
  const std::optional<session> session_;
  call_on_host under_way_;
  state state_ = state::open;
  std::string why_aborted_;
  int depth_ = 0;
  /// Of the server that it was begun on; not known where nothing may be written.
  server_identity identity_;
  std::uint64_t xid_ = 0;
  bool wrote_ = false;
  bool reading_ = false;
};

}  // namespace scalekit::db::postgres

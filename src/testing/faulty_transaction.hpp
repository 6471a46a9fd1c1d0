#pragma once

#include "scalekit/db/detail/backend.hpp"
#include "testing/gate.hpp"

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace scalekit::testing::detail {

using db::detail::access;

/// A transaction behind a gate. Whatever fails there rolls it back.
class faulty_transaction final : public db::detail::transaction_backend {
 public:
  /// `limits` are those of the transaction.
  faulty_transaction(std::shared_ptr<gate> g, std::unique_ptr<transaction_backend> tx,
                     std::chrono::nanoseconds statement_timeout, patience limits) noexcept
      : gate_(std::move(g)),
        tx_(std::move(tx)),
        statement_timeout_(statement_timeout),
        limits_(std::move(limits)) {}

  db::write_result run(access kind, const db::statement& query, const db::call_options& options,
                       db::detail::row_sink* rows) override;
  void run(const db::detail::batch_members& members, const db::call_options& options,
           const std::source_location& site) override;
  void run_script(std::string_view script) override;
  access kind_of(const db::statement& query) override { return tx_->kind_of(query); }
  bool lock(std::int64_t key, bool wait, const db::call_options& options,
            const std::source_location& site) override;
  std::optional<std::uint64_t> copy_in(const db::bulk_target& into, db::detail::row_source& rows,
                                       const db::call_options& options,
                                       const std::source_location& site) override;
  std::uint64_t copy_out(const db::statement& query, const piece_taker& take,
                         const db::call_options& options) override;
  std::uint64_t copy_in(const db::statement& query, const piece_giver& give,
                        const db::call_options& options) override;
  std::size_t rows_per_insert() const noexcept override { return tx_->rows_per_insert(); }
  void savepoint() override;
  void release_savepoint() override;
  void rollback_to_savepoint() noexcept override { tx_->rollback_to_savepoint(); }
  db::write_result commit() override;
  void rollback() noexcept override { tx_->rollback(); }
  bool is_open() const noexcept override { return tx_->is_open(); }

 private:
  patience patience_of(const db::call_options& options, const std::source_location& site) const;
  void require_usable() const;
  std::exception_ptr pass(std::vector<logged_call> asked, patience limits);

  const std::shared_ptr<gate> gate_;
  const std::unique_ptr<transaction_backend> tx_;
  const std::chrono::nanoseconds statement_timeout_;
  const patience limits_;
  std::string why_aborted_;
};

}  // namespace scalekit::testing::detail

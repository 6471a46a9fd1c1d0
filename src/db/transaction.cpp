#include "scalekit/db/transaction.hpp"

#include "db/call_site.hpp"
#include "scalekit/core/error.hpp"

#include <utility>

namespace scalekit::db {
namespace {

detail::transaction_backend& require(const std::unique_ptr<detail::transaction_backend>& tx) {
  if (!tx) throw error(errc::not_allowed, "the transaction was moved from");
  return *tx;
}

error no_copy(const statement& query) {
  return {errc::not_supported, detail::describe(query.site()) + ": COPY is PostgreSQL's"};
}

/// Stops a read when the function that gets its rows has ended their transaction.
class rows_while_open final : public detail::row_sink {
 public:
  rows_while_open(detail::row_sink& rows, const detail::transaction_backend& tx)
      : rows_(rows), tx_(tx) {}

  const scalekit::detail::row_shape& shape() const noexcept override { return rows_.shape(); }
  void accept(const value_view* row) override {
    rows_.accept(row);
    if (tx_.is_open()) return;
    throw error(errc::not_allowed, "the function that gets the rows has ended their transaction");
  }
  void restart() noexcept override { rows_.restart(); }
  bool takes_as_they_come() const noexcept override { return rows_.takes_as_they_come(); }
  bool can_restart() const noexcept override { return rows_.can_restart(); }

 private:
  detail::row_sink& rows_;
  const detail::transaction_backend& tx_;
};

}  // namespace

std::uint64_t detail::transaction_backend::copy_out(const statement& query, const piece_taker&,
                                                    const call_options&) {
  throw no_copy(query);
}

std::uint64_t detail::transaction_backend::copy_in(const statement& query, const piece_giver&,
                                                   const call_options&) {
  throw no_copy(query);
}

transaction::transaction(std::unique_ptr<detail::transaction_backend> tx) noexcept
    : tx_(std::move(tx)) {}
transaction::transaction(transaction&&) noexcept = default;
transaction& transaction::operator=(transaction&&) noexcept = default;
transaction::~transaction() = default;

write_result transaction::run(detail::access kind, const statement& query,
                              const call_options& options, detail::row_sink* rows) {
  auto& tx = require(tx_);
  if (!detail::is_stream(rows)) return tx.run(kind, query, options, rows);
  rows_while_open guarded(*rows, tx);
  return tx.run(kind, query, options, &guarded);
}

void transaction::run(const batch& statements, const call_options& options,
                      std::source_location site) {
  const auto& members = statements.start();
  require(tx_).run(members, options, site);
  detail::finish(members, {});
}

write_result transaction::run_judged(const statement& query, const call_options& options,
                                     detail::row_sink* rows) {
  return run(require(tx_).kind_of(query), query, options, rows);
}

std::uint64_t transaction::copy_to(const statement& query,
                                   const detail::transaction_backend::piece_taker& take,
                                   const call_options& options) {
  return require(tx_).copy_out(query, take, options);
}

std::uint64_t transaction::copy_from(const statement& query,
                                     const detail::transaction_backend::piece_giver& give,
                                     const call_options& options) {
  return require(tx_).copy_in(query, give, options);
}

void transaction::run_script(std::string_view script) {
  require(tx_).run_script(script);
}

void transaction::lock(std::int64_t key, const call_options& options, std::source_location site) {
  require(tx_).lock(key, true, options, site);
}

bool transaction::try_lock(std::int64_t key, const call_options& options,
                           std::source_location site) {
  return require(tx_).lock(key, false, options, site);
}

write_result transaction::commit() {
  return require(tx_).commit();
}

void transaction::rollback() noexcept {
  if (tx_) tx_->rollback();
}

bool transaction::is_open() const noexcept {
  return tx_ && tx_->is_open();
}

transaction::savepoint_guard::savepoint_guard(transaction& tx) : tx_(tx) {
  require(tx_.tx_).savepoint();
}

transaction::savepoint_guard::~savepoint_guard() {
  if (!released_ && tx_.tx_) tx_.tx_->rollback_to_savepoint();
}

void transaction::savepoint_guard::release() {
  require(tx_.tx_).release_savepoint();
  released_ = true;
}

}  // namespace scalekit::db

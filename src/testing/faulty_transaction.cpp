#include "testing/faulty_transaction.hpp"

#include "db/call_site.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/execution.hpp"
#include "testing/faulty_backend.hpp"

#include <algorithm>
#include <utility>

namespace scalekit::testing::detail {

patience faulty_transaction::patience_of(const db::call_options& options,
                                         const std::source_location& site) const {
  auto limits = gate_->patience_of(options.timeout.value_or(statement_timeout_), limits_.stops,
                                   errc::execution_timeout, db::detail::describe(site));
  limits.until = std::min(limits.until, limits_.until);
  limits.until_really = std::min(limits.until_really, limits_.until_really);
  limits.stops.push_back(options.stop);
  return limits;
}

void faulty_transaction::require_usable() const {
  if (why_aborted_.empty()) return;
  throw error(errc::not_allowed, "the transaction was aborted, and rolled back: " + why_aborted_);
}

std::exception_ptr faulty_transaction::pass(std::vector<logged_call> asked, patience limits) {
  require_usable();
  io_thread_mark::check_blocking_allowed("db::transaction");
  // The driver says why not.
  if (!tx_->is_open()) return nullptr;
  try {
    return gate_->pass(std::move(asked), std::move(limits));
  } catch (const error& e) {
    tx_->rollback();
    why_aborted_ = e.what();
    throw;
  }
}

db::write_result faulty_transaction::run(access kind, const db::statement& query,
                                         const db::call_options& options,
                                         db::detail::row_sink* rows) {
  pass({logged(kind, query, true)}, patience_of(options, query.site()));
  return tx_->run(kind, query, options, rows);
}

void faulty_transaction::run(const db::detail::batch_members& members,
                             const db::call_options& options, const std::source_location& site) {
  pass(logged(members, true), patience_of(options, site));
  tx_->run(members, options, site);
}

void faulty_transaction::run_script(std::string_view script) {
  pass({{.kind = call_kind::write, .text = std::string(script), .in_transaction = true}}, limits_);
  tx_->run_script(script);
}

bool faulty_transaction::lock(std::int64_t key, bool wait, const db::call_options& options,
                              const std::source_location& site) {
  require_usable();
  return tx_->lock(key, wait, options, site);
}

std::optional<std::uint64_t> faulty_transaction::copy_in(const db::bulk_target& into,
                                                         db::detail::row_source& rows,
                                                         const db::call_options& options,
                                                         const std::source_location& site) {
  require_usable();
  return tx_->copy_in(into, rows, options, site);
}

std::uint64_t faulty_transaction::copy_out(const db::statement& query, const piece_taker& take,
                                           const db::call_options& options) {
  pass({logged(access::read, query, true)}, patience_of(options, query.site()));
  return tx_->copy_out(query, take, options);
}

std::uint64_t faulty_transaction::copy_in(const db::statement& query, const piece_giver& give,
                                          const db::call_options& options) {
  pass({logged(access::write, query, true)}, patience_of(options, query.site()));
  return tx_->copy_in(query, give, options);
}

void faulty_transaction::savepoint() {
  require_usable();
  tx_->savepoint();
}

void faulty_transaction::release_savepoint() {
  require_usable();
  tx_->release_savepoint();
}

db::write_result faulty_transaction::commit() {
  const auto afterwards = pass({{.kind = call_kind::commit, .in_transaction = true}}, limits_);
  auto done = tx_->commit();
  if (afterwards) std::rethrow_exception(afterwards);
  return done;
}

}  // namespace scalekit::testing::detail

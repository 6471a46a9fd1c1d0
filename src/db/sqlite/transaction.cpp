#include "db/sqlite/transaction.hpp"

#include <utility>

namespace scalekit::db::sqlite {

using detail::access;

sqlite_transaction::sqlite_transaction(std::shared_ptr<sqlite_backend> backend, detail::lease lent,
                                       slot& s, deadline until, const transaction_options& options,
                                       std::stop_token also_stop)
    : backend_(std::move(backend)),
      lent_(std::move(lent)),
      slot_(s),
      until_(until),
      begun_(std::chrono::steady_clock::now()),
      stop_(options.stop),
      also_stop_(std::move(also_stop)),
      scope_(options.scope),
      read_only_(options.read_only) {
  // Another process may hold the write lock; waiting for it is like waiting in a statement.
  auto limits_of_begin = limits();
  auto patience = deadline::after(backend_->params().statement_timeout, begun_);
  limits_of_begin.until = earlier(patience, until_).when();
  try {
    slot_.conn->control(read_only_ ? "begin" : "begin immediate", limits_of_begin);
  } catch (...) {
    backend_->leave(slot_);
    throw;
  }
}

sqlite_transaction::~sqlite_transaction() {
  rollback();
}

write_result sqlite_transaction::run(access kind, const statement& query,
                                     const call_options& options, detail::row_sink* rows) {
  require_open("a statement");
  throw_if_stopped(options.stop, query.site());
  throw_if_stopped(stop_, query.site());
  throw_if_stopped(also_stop_, query.site());
  if (read_only_ && kind == access::write) {
    throw error(errc::not_allowed,
                detail::describe(query.site()) + ": a write in a read-only transaction");
  }
  auto call = frame_of(options, backend_->params().statement_timeout);
  call.until = earlier(call.until, until_);
  call.stops = {&options.stop, &stop_, &also_stop_};
  if (!options.scope) call.scope = &scope_;
  write_result result;
  reading_ = true;
  try {
    guarded([&] { result = backend_->run_on(slot_, kind, query, rows, call); });
  } catch (...) {
    end_reading();
    throw;
  }
  end_reading();
  return {result.rows_affected(), result.last_insert_id(), {}};
}

void sqlite_transaction::run_script(std::string_view script) {
  require_open("a script");
  if (read_only_) throw error(errc::not_allowed, "a script in a read-only transaction");
  guarded([&] { slot_.conn->run_script(script, limits()); });
}

bool sqlite_transaction::lock(std::int64_t, bool, const call_options&,
                              const std::source_location& site) {
  require_open("a lock");
  if (!read_only_) return true;
  throw error(errc::not_allowed, detail::describe(site) +
                                     ": a lock in a read-only transaction, which excludes nobody");
}

void sqlite_transaction::savepoint() {
  require_open("a savepoint");
  ++depth_;
  try {
    guarded([&] { slot_.conn->control("savepoint " + savepoint_name(), limits()); });
  } catch (...) {
    --depth_;
    throw;
  }
}

void sqlite_transaction::release_savepoint() {
  require_open("the end of a savepoint");
  guarded([&] { slot_.conn->control("release " + savepoint_name(), limits()); });
  --depth_;
}

void sqlite_transaction::rollback_to_savepoint() noexcept {
  // In a child of fork() the transaction, and the memory it shares, are the parent's.
  if (state_ == state::open && !backend_->is_forked()) {
    slot_.conn->undo_savepoint(savepoint_name());
    if (!slot_.conn->in_transaction()) {
      state_ = state::aborted;
      why_aborted_ = "a savepoint could not be undone";
    }
  }
  --depth_;
}

write_result sqlite_transaction::commit() {
  require_open("commit");
  try {
    // Once it has begun a commit is not stopped: it takes as long as the disk takes.
    switch (limits().check()) {
      case stop_cause::none:
        break;
      case stop_cause::deadline:
        throw error(errc::execution_timeout,
                    "the transaction took longer than its timeout and was rolled back");
      case stop_cause::cancelled:
        throw error(errc::cancelled, "the transaction was cancelled and rolled back");
      case stop_cause::closing:
        throw error(errc::closed, "the client was closed; the transaction was rolled back");
    }
    slot_.conn->control("commit", limits());
  } catch (...) {
    end(slot_.rolled_back);
    throw;
  }
  end(slot_.committed);
  return {0, 0, write_token};
}

void sqlite_transaction::rollback() noexcept {
  if (state_ == state::over) return;
  if (backend_->is_forked()) {
    // The parent's transaction, whose shared memory a rollback here would change.
    static_cast<void>(lent_.disown());
    state_ = state::over;
    return;
  }
  if (reading_) {
    state_ = state::ending;
    return;
  }
  end(slot_.rolled_back);
}

void sqlite_transaction::end_reading() noexcept {
  reading_ = false;
  if (state_ == state::ending) end(slot_.rolled_back);
}

void sqlite_transaction::end(std::atomic<std::uint64_t>& counter) noexcept {
  slot::add_one(counter);
  // Rolls back what is still open.
  backend_->leave(slot_);
  lent_.give_back();
  state_ = state::over;
}

void sqlite_transaction::require_open(std::string_view operation) const {
  backend_->check_thread("db::transaction");
  if (state_ == state::over || state_ == state::ending) {
    throw error(errc::not_allowed, std::string(operation) + " after the end of the transaction");
  }
  if (state_ == state::aborted) {
    throw error(
        errc::not_allowed,
        std::string(operation) + " in an aborted transaction; it was rolled back: " + why_aborted_);
  }
}

template <class Action>
void sqlite_transaction::guarded(Action action) {
  try {
    action();
  } catch (const std::exception& e) {
    if (!slot_.conn->in_transaction()) {
      state_ = state::aborted;
      why_aborted_ = e.what();
    }
    throw;
  }
}

stop_condition sqlite_transaction::limits() const noexcept {
  call_frame frame{begun_, until_, {&stop_, &also_stop_}};
  return backend_->limits_of(frame);
}

std::string sqlite_transaction::savepoint_name() const {
  return "scalekit_" + std::to_string(depth_);
}

}  // namespace scalekit::db::sqlite

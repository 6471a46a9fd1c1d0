#include "db/postgres/statement_call.hpp"

#include "db/call_site.hpp"
#include "db/postgres/own_exchange.hpp"

#include <chrono>
#include <utility>

namespace scalekit::db::postgres {

using detail::access;

namespace {

constexpr const char* begin_text = "begin";
constexpr const char* begin_read_text = "begin read only";
constexpr const char* savepoint_text = "savepoint scalekit_rows";

}  // namespace

statement_call::statement_call(const statement& query, exchange_ptr e, detail::row_sink* rows,
                               call_shape shape)
    : query_(query), e_(std::move(e)), rows_(rows), shape_(shape) {
  e_->restart();
  e_->values = &query_.parameters();
}

bool statement_call::advance(connection& c) {
  try {
    return step_on(c);
  } catch (...) {
    std::rethrow_exception(detail::with_place(std::current_exception(), query_.site()));
  }
}

bool statement_call::step_on(connection& c) {
  switch (step_) {
    case step::start:
      return start(c);
    case step::prepared:
      return send(c);
    case step::ran:
      return look(c);
    case step::committed:
      return look_at_commit(c);
    case step::undone:
      step_ = step::over;
      std::rethrow_exception(failure_);
    case step::over:
      break;
  }
  return false;
}

bool statement_call::start(connection& c) {
  auto& wire = *c.wire;
  e_->taker = nullptr;
  wrapped_ = wrapping_of(c);
  if (!shape_.in_transaction && c.through_pooler) {
    if (shape_.kind == access::write) position_.learn_identity(c);
  } else if (!shape_.in_transaction) {
    const bool wanted = shape_.kind == access::read;
    if (c.read_only != wanted) {
      setting_ = send_own(c, wanted ? "set default_transaction_read_only = on"
                                    : "reset default_transaction_read_only");
      c.read_only = wanted;
    }
    if (shape_.kind == access::write) position_.learn_identity(c);
  }
  if (wrapped_ == wrapping::step_by_step) guard_ = send_own(c, begin_read_text);
  step_ = step::prepared;
  if (wire.of(*e_) == link::readiness::ready) {
    // Rows one by one are to be had of a statement that goes alone.
    return is_stream() && !wire.is_quiet() ? true : send(c);
  }
  was_prepared_ = false;
  wire.prepare(e_);
  return true;
}

bool statement_call::send(connection& c) {
  auto& wire = *c.wire;
  if (e_->end != exchange::ending::none && e_->end != exchange::ending::prepared) {
    const auto failed = std::make_exception_ptr(failure(c));
    if (wrapped_ != wrapping::step_by_step || e_->end == exchange::ending::lost) {
      std::rethrow_exception(failed);
    }
    return undo(c, failed);
  }
  if (wrapped_ == wrapping::step_by_step && guard_->end != exchange::ending::done) {
    throw error_of(*guard_, query_.site(), wire.origin(), false);
  }
  e_->end = exchange::ending::none;
  if (is_stream()) e_->taker = this;
  if (wrapped_ == wrapping::at_once) {
    guard_ = std::make_shared<exchange>();
    guard_->text = begin_read_text;
    wire.send(guard_);
  }
  if (is_guarded()) {
    // What can be seen before it runs need not be undone.
    const auto* known = e_->entry->described();
    if (known != nullptr) e_->entry->columns_for(*known, rows_->shape());
    // In the group of the statement: where it fails, the statement is skipped.
    guard_ = std::make_shared<exchange>();
    guard_->text = shape_.in_transaction ? savepoint_text : begin_text;
    wire.send(guard_);
  }
  try {
    wire.send(e_);
  } catch (...) {
    // Nothing of it was sent, but the guard was.
    if (wrapped_ == wrapping::none) throw;
    wire.sync();
    return undo(c, std::current_exception());
  }
  const bool commits = !shape_.in_transaction && shape_.kind == access::write && !is_guarded();
  wire.sync(commits ? e_ : nullptr);
  if (commits) position_.send(c);
  if (wrapped_ == wrapping::at_once) commit_ = send_own(c, "commit");
  if (shape_.learn_xid) asked_xid_ = send_own(c, xid_text);
  step_ = step::ran;
  return true;
}

void statement_call::take(const PGresult* row) {
  if (!feed_) {
    answered_ = std::chrono::steady_clock::now();
    feed_.emplace(*e_, *rows_, shape_.max_value_bytes);
  }
  feed_->feed(row, 0);
}

bool statement_call::look(connection& c) {
  let_go();
  if (!answered_) answered_ = std::chrono::steady_clock::now();
  if (setting_ && setting_->end == exchange::ending::failed) {
    // A cancel can hit it instead of the statement, which has failed for that.
    c.read_only.reset();
    if (e_->end == exchange::ending::failed) e_->result = std::move(setting_->result);
  }
  if (guard_ && guard_->end == exchange::ending::failed && e_->end == exchange::ending::skipped) {
    e_->end = exchange::ending::failed;
    e_->result = std::move(guard_->result);
  }
  if (e_->end != exchange::ending::done) {
    const auto failed = std::make_exception_ptr(failure(c));
    if (is_outdated(c)) {
      c.wire->forget(*e_);
      if (!healed_ && !shape_.in_transaction && !is_open()) {
        healed_ = true;
        e_->restart();
        step_ = step::start;
        return start(c);
      }
    }
    if (!is_open() || e_->end == exchange::ending::lost) std::rethrow_exception(failed);
    return undo(c, failed);
  }
  try {
    reply_ = deliver(*e_, rows_, shape_.max_value_bytes);
    if (feed_) reply_.rows = feed_->count();
  } catch (...) {
    if (!is_open()) throw;
    return undo(c, std::current_exception());
  }
  if (asked_xid_ && asked_xid_->end == exchange::ending::done) xid_ = number_of(*asked_xid_);
  if (!is_open()) {
    token_ = position_.read(c);
    step_ = step::over;
    return false;
  }
  commit_ = send_own(c, shape_.in_transaction ? "release savepoint scalekit_rows" : "commit");
  if (is_guarded() && !shape_.in_transaction) position_.send(c);
  step_ = step::committed;
  return true;
}

statement_call::wrapping statement_call::wrapping_of(const connection& c) const noexcept {
  if (shape_.kind == access::write) return rows_ != nullptr ? wrapping::until_read : wrapping::none;
  if (!c.through_pooler || shape_.in_transaction) return wrapping::none;
  return is_stream() ? wrapping::step_by_step : wrapping::at_once;
}

/// What the client knows of the statement may be of another schema.
bool statement_call::is_outdated(const connection& c) const {
  // Not prepared, it is sent with the types that its parameters had.
  const bool by_types = c.through_pooler && was_prepared_ && sqlstate_of(*e_).starts_with("42");
  return by_types || is_stale_plan(*e_);
}

error statement_call::failure(const connection& c) const {
  const bool is_write = shape_.kind == access::write;
  // Else it is somebody else who has made the session read only, or the server.
  const bool is_ours = !is_write && (!shape_.in_transaction || shape_.read_only);
  if (is_ours) return error_of_read(*e_, query_.site(), c.wire->origin());
  return error_of(*e_, query_.site(), c.wire->origin(),
                  is_write && !shape_.in_transaction && !is_guarded());
}

bool statement_call::look_at_commit(connection& c) {
  step_ = step::over;
  if (commit_->end != exchange::ending::done) {
    throw error_of(*commit_, query_.site(), c.wire->origin(),
                   is_guarded() && !shape_.in_transaction);
  }
  token_ = position_.read(c);
  return false;
}

bool statement_call::undo(connection& c, std::exception_ptr failure) {
  failure_ = std::move(failure);
  if (shape_.in_transaction) {
    send_own(c, "rollback to savepoint scalekit_rows");
    send_own(c, "release savepoint scalekit_rows");
  } else {
    send_own(c, "rollback");
  }
  step_ = step::undone;
  return true;
}

}  // namespace scalekit::db::postgres

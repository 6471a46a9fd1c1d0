#include "db/postgres/statement_call.hpp"

#include <boost/endian/conversion.hpp>

#include <charconv>
#include <string_view>
#include <utility>

namespace scalekit::db::postgres {

using detail::access;

namespace {

/// A number of eight bytes; 0 where there is none.
std::uint64_t number_at(const PGresult* r, int column) {
  if (PQntuples(r) != 1 || PQgetisnull(r, 0, column) != 0 || PQgetlength(r, 0, column) != 8) {
    return 0;
  }
  return boost::endian::load_big_u64(
      reinterpret_cast<const unsigned char*>(PQgetvalue(r, 0, column)));
}

constexpr const char* begin_text = "begin";
constexpr const char* savepoint_text = "savepoint scalekit_rows";
// The name of a segment of the log begins with its timeline.
constexpr const char* identity_text =
    "select (select system_identifier from pg_control_system()),"
    " pg_walfile_name(pg_current_wal_insert_lsn()), current_setting('synchronous_commit') = 'off'";
constexpr const char* flushed_text = "select pg_current_wal_flush_lsn()";
// With asynchronous commit what was committed is not flushed yet.
constexpr const char* inserted_text = "select pg_current_wal_insert_lsn()";
constexpr const char* xid_text = "select pg_current_xact_id_if_assigned()";

}  // namespace

statement_call::statement_call(const statement& query, exchange_ptr e, detail::row_sink* rows,
                               call_shape shape)
    : query_(query), e_(std::move(e)), rows_(rows), shape_(shape) {
  e_->restart();
  e_->values = &query_.parameters();
}

bool statement_call::advance(connection& c) {
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

void statement_call::send_own(connection& c, exchange_ptr& to, const char* text, bool ends_group) {
  to = std::make_shared<exchange>();
  to->text = text;
  c.wire->send(to);
  if (ends_group) c.wire->sync();
}

bool statement_call::start(connection& c) {
  auto& wire = *c.wire;
  if (!shape_.in_transaction) {
    const bool wanted = shape_.kind == access::read;
    if (c.read_only != wanted) {
      exchange_ptr mode;
      send_own(c, mode,
               wanted ? "set default_transaction_read_only = on"
                      : "set default_transaction_read_only = off",
               true);
      c.read_only = wanted;
    }
    if (shape_.kind == access::write && !c.identity.is_known()) {
      send_own(c, identity_, identity_text, true);
    }
  }
  step_ = step::prepared;
  const bool is_ready = wire.of(*e_) == link::readiness::ready;
  if (is_ready && !identity_) return send(c);
  if (!is_ready) {
    was_prepared_ = false;
    wire.prepare(e_);
  }
  return true;
}

bool statement_call::send(connection& c) {
  auto& wire = *c.wire;
  if (e_->end != exchange::ending::none && e_->end != exchange::ending::prepared) {
    throw error_of(*e_, query_.site(), wire.origin(), false);
  }
  e_->end = exchange::ending::none;
  read_identity(c);
  if (is_guarded()) {
    // What can be seen before it runs need not be undone.
    const auto* known = e_->entry->described();
    if (known != nullptr) e_->entry->columns_for(*known, rows_->shape());
    send_own(c, guard_, shape_.in_transaction ? savepoint_text : begin_text, false);
  }
  try {
    wire.send(e_);
  } catch (...) {
    // Nothing of it was sent, but the guard was.
    if (!is_guarded()) throw;
    wire.sync();
    return undo(c, std::current_exception());
  }
  wire.sync();
  if (!shape_.in_transaction && shape_.kind == access::write && !is_guarded()) {
    send_token_query(c);
  }
  if (shape_.learn_xid) send_own(c, position_, xid_text, true);
  step_ = step::ran;
  return true;
}

void statement_call::send_token_query(connection& c) {
  send_own(c, position_, c.identity.asynchronous_commit ? inserted_text : flushed_text, true);
}

bool statement_call::look(connection& c) {
  answered_ = std::chrono::steady_clock::now();
  if (e_->end != exchange::ending::done) {
    const auto failure = std::make_exception_ptr(
        error_of(*e_, query_.site(), c.wire->origin(),
                 shape_.kind == access::write && !shape_.in_transaction && !is_guarded()));
    if (is_stale_plan(*e_)) {
      c.wire->forget(*e_->entry);
      if (!healed_ && !shape_.in_transaction && !is_guarded()) {
        healed_ = true;
        e_->restart();
        step_ = step::start;
        return start(c);
      }
    }
    if (!is_guarded() || e_->end == exchange::ending::lost) std::rethrow_exception(failure);
    return undo(c, failure);
  }
  try {
    reply_ = deliver(*e_, rows_, shape_.max_value_bytes);
  } catch (...) {
    if (!is_guarded()) throw;
    return undo(c, std::current_exception());
  }
  if (position_ && shape_.learn_xid && position_->end == exchange::ending::done) {
    xid_ = number_at(position_->result.get(), 0);
  }
  if (!is_guarded()) {
    read_token(c);
    step_ = step::over;
    return false;
  }
  send_own(c, commit_, shape_.in_transaction ? "release savepoint scalekit_rows" : "commit", true);
  if (!shape_.in_transaction) send_token_query(c);
  step_ = step::committed;
  return true;
}

bool statement_call::look_at_commit(connection& c) {
  step_ = step::over;
  if (commit_->end != exchange::ending::done) {
    commit_->entry = nullptr;
    throw error_of(*commit_, query_.site(), c.wire->origin(), !shape_.in_transaction);
  }
  read_token(c);
  return false;
}

bool statement_call::undo(connection& c, std::exception_ptr failure) {
  failure_ = std::move(failure);
  exchange_ptr own;
  if (shape_.in_transaction) {
    send_own(c, own, "rollback to savepoint scalekit_rows", true);
    send_own(c, own, "release savepoint scalekit_rows", true);
  } else {
    send_own(c, own, "rollback", true);
  }
  step_ = step::undone;
  return true;
}

void statement_call::read_identity(connection& c) {
  if (!identity_ || identity_->end != exchange::ending::done) return;
  const auto* r = identity_->result.get();
  const auto system = number_at(r, 0);
  if (system == 0 || PQgetlength(r, 0, 1) < 8 || PQgetlength(r, 0, 2) != 1) return;
  std::uint32_t timeline = 0;
  const char* segment = PQgetvalue(r, 0, 1);
  std::from_chars(segment, segment + 8, timeline, 16);
  c.identity = {system, timeline, PQgetvalue(r, 0, 2)[0] != 0};
}

void statement_call::read_token(connection& c) {
  if (shape_.in_transaction || !position_ || position_->end != exchange::ending::done) return;
  const auto lsn = number_at(position_->result.get(), 0);
  if (lsn == 0 || !c.identity.is_known()) return;
  token_ = causal_token::postgres(c.identity.system, c.identity.timeline, lsn);
}

}  // namespace scalekit::db::postgres

#include "db/postgres/statement_call.hpp"

#include "db/call_site.hpp"
#include "db/postgres/own_exchange.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace scalekit::db::postgres {

using detail::access;

namespace {

constexpr const char* begin_text = "begin";
constexpr const char* begin_read_text = "begin read only";
constexpr const char* savepoint_text = "savepoint scalekit_rows";

}  // namespace

bool can_restart(std::span<const call_member> members) noexcept {
  return std::ranges::all_of(
      members, [](const call_member& m) { return m.rows == nullptr || m.rows->can_restart(); });
}

void restart(std::span<const call_member> members) noexcept {
  for (const auto& m : members) {
    if (m.rows != nullptr) m.rows->restart();
  }
}

statement_call::statement_call(std::span<call_member> members, connection& c, call_shape shape)
    : members_(members), shape_(shape) {
  for (auto& m : members_) {
    c.spent |= m.entry->says.marks_session;
    m.e = c.exchange_for(m.entry);
    m.e->restart();
    m.e->values = &m.query->parameters();
    m.was_prepared = true;
    m.got = {};
  }
}

bool statement_call::advance(connection& c) {
  try {
    return step_on(c);
  } catch (...) {
    const auto failed = detail::with_place(std::current_exception(), site());
    if (!is_batch()) std::rethrow_exception(failed);
    std::rethrow_exception(
        detail::with_number(failed, failed_at_.value_or(members_.size()), members_.size()));
  }
}

/// Of the statement that has failed, or else the last.
const std::source_location& statement_call::site() const noexcept {
  return members_[failed_at_.value_or(members_.size() - 1)].query->site();
}

std::int64_t statement_call::rows_affected() const noexcept {
  std::int64_t sum = 0;
  for (const auto& m : members_) sum += m.got.rows_affected;
  return sum;
}

template <class What>
void statement_call::for_each(What what) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    failed_at_ = i;
    what(members_[i]);
  }
  failed_at_.reset();
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
      if (again_ && !c.wire->is_broken() && c.wire->transaction_status() == PQTRANS_IDLE) {
        return start_again(c);
      }
      step_ = step::over;
      std::rethrow_exception(failure_);
    case step::over:
      break;
  }
  return false;
}

bool statement_call::start(connection& c) {
  members_.front().e->taker = nullptr;
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
  if (prepare(c)) return true;
  // Rows one by one are to be had of a statement that goes alone.
  return is_stream() && !c.wire->is_quiet() ? true : send(c);
}

/// False when nothing is to be prepared.
bool statement_call::prepare(connection& c) {
  auto& wire = *c.wire;
  if (is_batch()) {
    // What is there of it stays while the rest is prepared.
    for (const auto& m : members_) wire.touch(*m.entry);
  }
  bool any = false;
  for (auto& m : members_) {
    if (wire.of(*m.e) == link::readiness::ready) continue;
    m.was_prepared = false;
    any = true;
    // The same text may be in it twice.
    if (is_batch() && wire.of(*m.e) == link::readiness::preparing) continue;
    wire.prepare(m.e, is_batch() ? members_.size() : 0);
  }
  return any;
}

bool statement_call::send(connection& c) {
  auto& wire = *c.wire;
  std::exception_ptr failed;
  try {
    for_each([&](call_member& m) {
      const auto end = m.e->end;
      if (end != exchange::ending::none && end != exchange::ending::prepared) throw failure(m, c);
    });
    if (wrapped_ == wrapping::step_by_step && guard_->end != exchange::ending::done) {
      throw error_of(*guard_, site(), wire.origin(), false);
    }
  } catch (...) {
    failed = std::current_exception();
  }
  if (failed) {
    const bool can_undo = wrapped_ == wrapping::step_by_step && !wire.is_broken() &&
                          guard_->end == exchange::ending::done;
    if (!can_undo) std::rethrow_exception(failed);
    return undo(c, failed);
  }
  for (auto& m : members_) m.e->end = exchange::ending::none;
  if (is_stream()) members_.front().e->taker = this;
  // Nothing of a batch is sent when a part of it cannot be.
  if (is_batch()) for_each([&](call_member& m) { wire.encode(*m.e); });
  if (wrapped_ == wrapping::at_once) {
    guard_ = std::make_shared<exchange>();
    guard_->text = begin_read_text;
    wire.send(guard_);
  }
  if (is_guarded()) {
    // What can be seen before it runs need not be undone.
    for_each([&](call_member& m) {
      const auto* known = m.entry->described();
      if (m.rows != nullptr && known != nullptr) m.entry->columns_for(*known, m.rows->shape());
    });
    // In the group of the statement: where it fails, the statement is skipped.
    guard_ = std::make_shared<exchange>();
    guard_->text = shape_.in_transaction ? savepoint_text : begin_text;
    wire.send(guard_);
  }
  try {
    for_each([&](call_member& m) { wire.send(m.e); });
  } catch (...) {
    if (wrapped_ == wrapping::none && is_batch()) {
      // What another thread has learnt meanwhile of a statement. What was sent is not to be
      // committed.
      std::vector<exchange_ptr> ended;
      wire.break_off("a statement of the batch could not be sent", ended);
    }
    // Nothing of it was sent, but the guard was.
    if (wrapped_ == wrapping::none) throw;
    wire.sync();
    return undo(c, std::current_exception());
  }
  const bool commits = !shape_.in_transaction && shape_.kind == access::write && !is_guarded();
  wire.sync(commits ? members_.back().e : nullptr);
  if (commits) position_.send(c);
  if (wrapped_ == wrapping::at_once) commit_ = send_own(c, "commit");
  if (shape_.learn_xid) asked_xid_ = send_own(c, xid_text);
  step_ = step::ran;
  sent_at_ = std::chrono::steady_clock::now();
  return true;
}

bool statement_call::take(const PGresult* row) {
  auto& m = members_.front();
  if (!feed_) {
    answered_ = std::chrono::steady_clock::now();
    feed_.emplace(*m.e, *m.rows, shape_.max_value_bytes);
  }
  feed_->feed(row, 0);
  return !m.rows->is_full();
}

bool statement_call::look(connection& c) {
  let_go();
  if (!answered_) answered_ = std::chrono::steady_clock::now();
  auto& first = *members_.front().e;
  if (guard_ && guard_->end == exchange::ending::failed && first.end == exchange::ending::skipped) {
    first.end = exchange::ending::failed;
    first.result = std::move(guard_->result);
  }
  const auto bad = std::ranges::find_if(
      members_, [](const call_member& m) { return m.e->end != exchange::ending::done; });
  if (setting_ && setting_->end == exchange::ending::failed) {
    // A cancel can hit it instead of the statement, which has failed for that.
    c.read_only.reset();
    if (bad != members_.end() && bad->e->end == exchange::ending::failed) {
      bad->e->result = std::move(setting_->result);
    }
  }
  if (bad != members_.end()) {
    const bool is_lost = bad->e->end == exchange::ending::lost;
    if (!is_lost) failed_at_ = static_cast<std::size_t>(bad - members_.begin());
    const auto failed = std::make_exception_ptr(failure(*bad, c));
    if (is_outdated(*bad, c)) {
      c.wire->forget(*bad->e);
      // Each of them can be.
      const bool may_heal = healed_ < members_.size() && !shape_.in_transaction;
      if (may_heal && !is_open()) return start_again(c);
      again_ = may_heal && is_guarded();
    }
    if (!is_open() || is_lost) std::rethrow_exception(failed);
    return undo(c, failed);
  }
  try {
    for_each([&](call_member& m) { m.got = deliver(*m.e, m.rows, shape_.max_value_bytes); });
    if (feed_) members_.front().got.rows = feed_->count();
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

bool statement_call::start_again(connection& c) {
  ++healed_;
  again_ = false;
  failed_at_.reset();
  answered_.reset();
  for (auto& m : members_) m.e->restart();
  return start(c);
}

statement_call::wrapping statement_call::wrapping_of(const connection& c) const noexcept {
  if (shape_.kind == access::write) {
    const bool reads =
        std::ranges::any_of(members_, [](const auto& m) { return m.rows != nullptr; });
    return reads ? wrapping::until_read : wrapping::none;
  }
  if (!c.through_pooler || shape_.in_transaction) return wrapping::none;
  return is_stream() ? wrapping::step_by_step : wrapping::at_once;
}

/// What the client knows of the statement may be of another schema.
bool statement_call::is_outdated(const call_member& m, const connection& c) {
  // Not prepared, it is sent with the types that its parameters had.
  const bool by_types = c.through_pooler && m.was_prepared && sqlstate_of(*m.e).starts_with("42");
  return by_types || is_stale_plan(*m.e);
}

error statement_call::failure(const call_member& m, const connection& c) const {
  const bool is_write = shape_.kind == access::write;
  // Else it is somebody else who has made the session read only, or the server.
  const bool is_ours = !is_write && (!shape_.in_transaction || shape_.read_only);
  if (is_ours) return error_of_read(*m.e, m.query->site(), c.wire->origin());
  return error_of(*m.e, m.query->site(), c.wire->origin(),
                  is_write && !shape_.in_transaction && !is_guarded());
}

bool statement_call::look_at_commit(connection& c) {
  step_ = step::over;
  if (commit_->end != exchange::ending::done) {
    throw error_of(*commit_, site(), c.wire->origin(), is_guarded() && !shape_.in_transaction);
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

#pragma once

#include "db/postgres/conversation.hpp"
#include "db/postgres/reply.hpp"
#include "db/postgres/token_query.hpp"
#include "scalekit/db/causal_token.hpp"
#include "scalekit/db/statement.hpp"

#include <exception>
#include <memory>
#include <optional>

namespace scalekit::db::postgres {

/// How one statement of the host is to be run.
struct call_shape {
  detail::access kind = detail::access::read;
  /// Inside a transaction that is open on the connection; else the statement is one of its own.
  bool in_transaction = false;
  /// In a transaction: it was begun read only.
  bool read_only = false;
  /// In a transaction: also learn its id, which tells after a lost commit what became of it.
  bool learn_xid = false;
  std::size_t max_value_bytes = 0;
};

/// One statement, from its preparation to its last row, with what must be around it: a transaction
/// where rows of a write could turn out to be unreadable, and the causal token of a write.
///
/// Object lifetimes: `query` and `rows` must live until it is over, or is no longer advanced.
class statement_call final : public conversation, private row_taker {
 public:
  statement_call(const statement& query, exchange_ptr e, detail::row_sink* rows, call_shape shape);

  bool advance(connection& c) override;

  /// Rows that are still under way concern nobody any more. To be called before somebody else reads
  /// from the link.
  void let_go() noexcept { e_->taker = nullptr; }

  // Once it is over.
  std::uint64_t rows() const noexcept { return reply_.rows; }
  std::int64_t rows_affected() const noexcept { return reply_.rows_affected; }
  /// When the answer to the statement was there.
  std::optional<time_point> answered() const noexcept { return answered_; }
  bool was_prepared_before() const noexcept { return was_prepared_; }
  /// It had to be prepared anew: the schema has changed.
  bool was_healed() const noexcept { return healed_; }
  /// The position of a write that was committed; empty for all else.
  const causal_token& token() const noexcept { return token_; }
  std::uint64_t xid() const noexcept { return xid_; }

  /// Whether giving up now leaves open what was changed.
  bool may_have_effect() const noexcept {
    return shape_.kind == detail::access::write && !shape_.in_transaction && e_->sent;
  }

 private:
  enum class step { start, prepared, ran, committed, undone, over };
  /// Whether a transaction of the call's own is around it.
  enum class wrapping {
    none,
    /// A write whose rows may turn out to be unreadable: committed once they were read.
    until_read,
    /// A read behind a pooler, in one go with its end.
    at_once,
    /// As at_once, of rows that come one by one: that must be all that is under way.
    step_by_step,
  };

  bool step_on(connection& c);
  bool start(connection& c);
  bool send(connection& c);
  bool look(connection& c);
  bool look_at_commit(connection& c);
  bool undo(connection& c, std::exception_ptr failure);
  void take(const PGresult* row) override;
  error failure(const connection& c) const;
  bool is_stream() const noexcept { return rows_ != nullptr && rows_->takes_as_they_come(); }
  wrapping wrapping_of(const connection& c) const noexcept;
  bool is_guarded() const noexcept { return wrapped_ == wrapping::until_read; }
  /// It can be undone, and has not been.
  bool is_open() const noexcept {
    return wrapped_ == wrapping::until_read || wrapped_ == wrapping::step_by_step;
  }
  bool is_outdated(const connection& c) const;

  const statement& query_;
  exchange_ptr e_;
  detail::row_sink* rows_;
  call_shape shape_;
  step step_ = step::start;
  wrapping wrapped_ = wrapping::none;
  bool healed_ = false;
  bool was_prepared_ = true;
  exchange_ptr setting_, guard_, commit_, asked_xid_;
  token_query position_;
  std::exception_ptr failure_;
  std::optional<row_feed> feed_;
  reply reply_;
  std::optional<time_point> answered_;
  causal_token token_;
  std::uint64_t xid_ = 0;
};

}  // namespace scalekit::db::postgres

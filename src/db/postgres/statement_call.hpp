#pragma once

#include "db/postgres/conversation.hpp"
#include "db/postgres/reply.hpp"
#include "db/postgres/token_query.hpp"
#include "scalekit/db/causal_token.hpp"
#include "scalekit/db/statement.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <span>

namespace scalekit::db::postgres {

/// A statement of a call, and what has become of it. `query` and `rows`, which may be null, must
/// live until the call is over, or is no longer advanced.
struct call_member {
  const statement* query;
  statement_entry_ptr entry;
  detail::row_sink* rows = nullptr;
  exchange_ptr e = {};
  bool was_prepared = true;
  reply got = {};
};

/// Whether what they have handed on can be taken back, and takes it back.
bool can_restart(std::span<const call_member> members) noexcept;
void restart(std::span<const call_member> members) noexcept;

/// What those of a batch did, for who holds its results.
void note_results(std::span<const call_member> members, const detail::batch_members& batch);

/// How the statements of a call are to be run.
struct call_shape {
  /// A write when any of them is.
  detail::access kind = detail::access::read;
  /// Inside a transaction that is open on the connection; else the statement is one of its own.
  bool in_transaction = false;
  /// In a transaction: it was begun read only.
  bool read_only = false;
  /// In a transaction: also learn its id, which tells after a lost commit what became of it.
  bool learn_xid = false;
  std::size_t max_value_bytes = 0;
};

/// One statement, or several as one group, from their preparation to the last row, with what must
/// be around them: a transaction where rows of a write could turn out to be unreadable, and the
/// causal token of a write.
///
/// Object lifetimes: `members` as each of them.
class statement_call final : public conversation, private row_taker {
 public:
  /// On `c`. Precondition: there is a member.
  statement_call(std::span<call_member> members, connection& c, call_shape shape);

  bool advance(connection& c) override;

  /// Rows that are still under way concern nobody any more. To be called before somebody else reads
  /// from the link.
  void let_go() noexcept { members_.front().e->taker = nullptr; }

  // Once it is over.
  /// By all of them.
  std::int64_t rows_affected() const noexcept;
  /// When the statements were sent: since then it is the server's time, and the network's.
  std::optional<time_point> sent_at() const noexcept { return sent_at_; }
  /// When the answer to the statements was there.
  std::optional<time_point> answered() const noexcept { return answered_; }
  /// One had to be prepared anew: the schema has changed.
  bool was_healed() const noexcept { return healed_ > 0; }
  /// Which has failed, where it was one of them.
  std::optional<std::size_t> failed_at() const noexcept { return failed_at_; }
  /// The position of a write that was committed; empty for all else.
  const causal_token& token() const noexcept { return token_; }
  std::uint64_t xid() const noexcept { return xid_; }

  /// Whether giving up now leaves open what was changed.
  bool may_have_effect() const noexcept {
    if (shape_.kind != detail::access::write || shape_.in_transaction) return false;
    // With its guard it is undone with the connection until its commit was sent.
    return is_guarded() ? step_ == step::committed : members_.front().e->sent;
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
  bool prepare(connection& c);
  bool send(connection& c);
  bool look(connection& c);
  bool look_at_commit(connection& c);
  bool undo(connection& c, std::exception_ptr failure);
  bool take(const PGresult* row) override;
  error failure(const call_member& m, const connection& c) const;
  /// Calls `what(member)` with each; what it throws is the failure of that one.
  template <class What>
  void for_each(What what);
  bool is_batch() const noexcept { return members_.size() > 1; }
  bool is_stream() const noexcept {
    return !is_batch() && detail::is_stream(members_.front().rows);
  }
  wrapping wrapping_of(const connection& c) const noexcept;
  bool is_guarded() const noexcept { return wrapped_ == wrapping::until_read; }
  /// It can be undone, and has not been.
  bool is_open() const noexcept {
    return wrapped_ == wrapping::until_read || wrapped_ == wrapping::step_by_step;
  }
  static bool is_outdated(const call_member& m, const connection& c);
  const std::source_location& site() const noexcept;
  bool start_again(connection& c);

  std::span<call_member> members_;
  call_shape shape_;
  step step_ = step::start;
  wrapping wrapped_ = wrapping::none;
  std::size_t healed_ = 0;
  /// Once it is undone it runs again, prepared anew.
  bool again_ = false;
  std::optional<std::size_t> failed_at_;
  exchange_ptr setting_, guard_, commit_, asked_xid_;
  token_query position_;
  std::exception_ptr failure_;
  std::optional<row_feed> feed_;
  std::optional<time_point> sent_at_, answered_;
  causal_token token_;
  std::uint64_t xid_ = 0;
};

}  // namespace scalekit::db::postgres

#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/core/row.hpp"
#include "scalekit/db/detail/backend.hpp"
#include "scalekit/db/statement.hpp"
#include "scalekit/db/write_result.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace scalekit::db {
namespace detail {

/// One statement of a batch, and what has become of it.
class SCALEKIT_EXPORT batch_member {
 public:
  batch_member(access k, statement q) : kind(k), query(std::move(q)) {}
  virtual ~batch_member() = default;
  virtual row_sink* rows() noexcept { return nullptr; }

  /// Throws errc::not_allowed when its batch has not run, or has failed.
  void require_done() const;

  const access kind;
  const statement query;
  write_result result = {};
  bool done = false;
};

template <class Row>
class batch_rows_member final : public batch_member {
 public:
  using batch_member::batch_member;
  row_sink* rows() noexcept override { return &collected; }

  scalekit::detail::row_collector<Row> collected;
};

/// As if none had run.
SCALEKIT_EXPORT void restart(const batch_members& members) noexcept;
/// All have run, and been committed with `token`, or are in a transaction.
SCALEKIT_EXPORT void finish(const batch_members& members, const write_result& done);

}  // namespace detail

/// The rows of one statement of a batch, to be taken after the batch has run.
///
/// All of it throws errc::not_allowed when the batch has not run, or its last run has failed.
template <class Row>
class batch_rows {
 public:
  /// All rows, in the order of the result, which are gone from here then.
  std::vector<Row> take() {
    member_->require_done();
    return member_->collected.take();
  }
  /// The only row. Throws errc::not_found for none and errc::too_large for several; what the batch
  /// has changed stays.
  Row take_one() {
    auto rows = take();
    detail::require_one_row(rows.size(), member_->query);
    return std::move(rows.front());
  }
  /// The only row, if there is one. Throws errc::too_large for several.
  std::optional<Row> take_optional() {
    auto rows = take();
    detail::require_at_most_one_row(rows.size(), member_->query);
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
  }

 private:
  friend class batch;
  using member = detail::batch_rows_member<Row>;
  explicit batch_rows(std::shared_ptr<member> m) noexcept : member_(std::move(m)) {}
  std::shared_ptr<member> member_;
};

/// What one write of a batch did, to be asked for after the batch has run.
class SCALEKIT_EXPORT batch_write {
 public:
  /// Its token is that of the batch. Throws errc::not_allowed when the batch has not run, or its
  /// last run has failed.
  const write_result& result() const {
    member_->require_done();
    return member_->result;
  }

 private:
  friend class batch;
  explicit batch_write(std::shared_ptr<detail::batch_member> m) noexcept : member_(std::move(m)) {}
  std::shared_ptr<detail::batch_member> member_;
};

/// Different statements that go to the database together: on PostgreSQL in one round trip on one
/// connection, where each by itself would cost one.
///
///     db::batch page;
///     auto item = page.read<product>(sql("select id, name from product where id = $1", id));
///     auto seen = page.write(sql("update product set seen = seen + 1 where id = $1", id));
///     shop.run(page);
///     show(item.take_one(), seen.result().rows_affected());
///
/// They run in the order in which they were added, and each sees what those before it did. No
/// statement can have the result of another as a parameter: that needs a round trip between them.
///
/// A batch that client::run() or shard::run() runs is atomic: all of it is committed, or nothing.
/// PostgreSQL gets it as one group with one Sync, an implicit transaction (read committed: each
/// statement sees what others have committed meanwhile); what cannot run in a transaction (vacuum)
/// cannot be in a batch. Statements that the connection does not know yet are prepared before, all
/// together, for one more round trip; so none can use what another of the batch creates. A batch
/// that writes and has rows to read is committed once they were read, in a round trip more. SQLite
/// runs it as one transaction of the writer's, or of a reader's when all of it are reads.
///
/// Of a batch in which one statement fails nothing is kept, and what comes after that statement has
/// not run. The error says which: "statement 2 of 3 of the batch: orders.cpp:42: ...", counted from
/// 1. What is checked at the commit (deferred constraints) is said of the last, or of the end.
///
/// May be run again, which replaces its results, and have statements added meanwhile. A handle:
/// copies are the same batch. The handles of its results may outlive it.
///
/// Thread safety: one thread at a time; while it runs, nobody may touch it or its results.
class SCALEKIT_EXPORT batch {
 public:
  /// A batch has 1 to so many statements: all of their results are in memory at once.
  static constexpr std::size_t max_statements = 256;

  batch();

  /// Adds a statement that is not to write, and whose rows are wanted. In a batch without writes it
  /// is errc::not_allowed when it does. Throws errc::too_large beyond max_statements.
  template <class Row>
  batch_rows<Row> read(statement query) {
    return add_rows<Row>(detail::access::read, std::move(query));
  }

  /// Adds a statement that may write. Its rows are dropped.
  batch_write write(statement query);

  /// As write(), with the rows of its RETURNING clause.
  template <class Row>
  batch_rows<Row> write(statement query) {
    return add_rows<Row>(detail::access::write, std::move(query));
  }

  std::size_t size() const noexcept { return members_->size(); }
  bool empty() const noexcept { return members_->empty(); }

 private:
  friend class client;
  friend class shard;
  friend class transaction;

  template <class Row>
  batch_rows<Row> add_rows(detail::access kind, statement&& query) {
    auto m = std::make_shared<detail::batch_rows_member<Row>>(kind, std::move(query));
    add(m);
    return batch_rows<Row>(std::move(m));
  }
  void add(std::shared_ptr<detail::batch_member> m);

  /// Its statements, as if none had run. Throws errc::invalid_argument when there is none.
  const detail::batch_members& start() const;

  std::shared_ptr<detail::batch_members> members_;
};

}  // namespace scalekit::db

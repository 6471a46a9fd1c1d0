#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::db::detail {

enum class statement_kind : std::uint8_t {
  /// Spaces and comments only, or a lone `;`.
  empty,
  /// SELECT, VALUES, TABLE, WITH of reads only, SHOW, EXPLAIN that does not run a write.
  read,
  /// Changes data or schema, or is not known.
  write,
  /// BEGIN, START TRANSACTION, COMMIT, END, ROLLBACK, ABORT, SAVEPOINT, RELEASE, PREPARE
  /// TRANSACTION, COMMIT PREPARED, SET TRANSACTION, SET CONSTRAINTS.
  transaction_control,
  /// Leaves something in the session, or depends on it: SET, RESET, DISCARD, LISTEN, UNLISTEN,
  /// PREPARE, EXECUTE, DEALLOCATE, DECLARE, FETCH, MOVE, CLOSE, LOCK, LOAD, temporary objects.
  session_state,
  /// COPY ... FROM STDIN: the client sends the rows. From a file or program it is a write.
  copy_in,
  /// COPY ... TO STDOUT: the client receives the rows. To a file or program it is a write.
  copy_out,
  /// Something stands behind a `;`.
  several,
};

/// A function that the statement calls by name. Folded as PostgreSQL folds names.
struct called_function {
  /// Empty if the name stands alone.
  std::string schema;
  std::string name;

  friend bool operator==(const called_function&, const called_function&) = default;
};

/// What can be said of a statement by its text alone.
struct statement_class {
  statement_kind kind = statement_kind::empty;
  /// For copy_out: what it copies is the result of a statement that writes.
  bool copies_a_write = false;
  /// A locking clause anywhere: FOR UPDATE, NO KEY UPDATE, SHARE, KEY SHARE.
  bool locks_rows = false;
  /// $1 and on.
  bool has_parameters = false;
  /// Unterminated tokens, U&"..." names, bytes that begin no token: judge nothing by it.
  bool unreadable = false;
  /// A built-in that writes, locks, draws from a sequence or differs by call is among `functions`.
  bool calls_effectful_builtin = false;
  /// Something stays in the session that whoever uses it next would find: a built-in is called that
  /// sets for longer than the transaction, or takes a lock of the session.
  bool marks_session = false;
  /// In order of appearance, each once. Constructs of the grammar that look like calls
  /// (coalesce, extract, exists, ...) are not among them.
  std::vector<called_function> functions;
};

/// Classifies one statement of PostgreSQL (standard_conforming_strings on). Errs on the side of
/// `write`: a read is what is certain to be one, as far as its text can tell.
///
/// Any bytes are accepted. Linear time; throws only std::bad_alloc. Pure.
statement_class classify(std::string_view sql);

}  // namespace scalekit::db::detail

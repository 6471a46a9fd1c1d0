#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace scalekit::db::detail {

/// Everything by which a piece of SQL can reach an object of the database. Names are unqualified
/// and folded; a name stands for every object of that name in any schema.
struct sql_names {
  using name_set = std::set<std::string, std::less<>>;

  /// Followed by '(', or an attribute of a value in parentheses, which may be a call as well:
  /// functions, and constructs that only look like one.
  name_set calls;
  /// Every identifier and keyword, `calls` included.
  name_set words;
  /// Words that may name a type a value is converted to: after `::`, AS and RETURNING.
  name_set types;
  name_set operators;

  /// FOR UPDATE, FOR NO KEY UPDATE, FOR SHARE, FOR KEY SHARE.
  bool locks_rows = false;
  /// U&"..." names, unterminated tokens, bytes that begin no token: cannot be read reliably.
  bool unreadable = false;

  std::size_t size() const noexcept {
    return calls.size() + words.size() + types.size() + operators.size();
  }

  void merge(const sql_names& other);

  /// The names that `other` lacks; without the flags.
  sql_names without(const sql_names& other) const;
};

/// Adds what `sql` names: a statement, an expression, a type, the body of a function. Strings and
/// comments name nothing. With `every_word_a_type`, each word also counts as a type (PL/pgSQL
/// declares variables, to which values are converted).
///
/// Any bytes are accepted; throws only std::bad_alloc.
void add_names(std::string_view sql, sql_names& into, bool every_word_a_type = false);

}  // namespace scalekit::db::detail

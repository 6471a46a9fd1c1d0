#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace scalekit::db::detail {

/// A token's name as PostgreSQL folds it: unquoted in lower case (ASCII), quoted as it is.
std::string folded_name(std::string_view token_text);

/// Everything by which a piece of SQL can reach an object of the database. Names are unqualified
/// and folded; a name stands for every object of that name in any schema.
struct sql_names {
  /// Followed by '(': functions, among them constructs that only look like one.
  std::set<std::string, std::less<>> calls;
  /// Every identifier and keyword, `calls` included.
  std::set<std::string, std::less<>> words;
  /// Words that may name a type a value is converted to: after `::` and AS.
  std::set<std::string, std::less<>> types;
  std::set<std::string, std::less<>> operators;

  /// FOR UPDATE, FOR NO KEY UPDATE, FOR SHARE, FOR KEY SHARE.
  bool locks_rows = false;
  /// U&"..." names, unterminated tokens, bytes that begin no token: cannot be read reliably.
  bool unreadable = false;

  std::size_t size() const noexcept {
    return calls.size() + words.size() + types.size() + operators.size();
  }
};

/// Adds what `sql` names: a statement, an expression, a type, the body of a function. Strings and
/// comments name nothing. With `every_word_a_type`, each word also counts as a type (PL/pgSQL
/// declares variables, to which values are converted).
///
/// Any bytes are accepted. Linear but for the sets; throws only std::bad_alloc.
void add_names(std::string_view sql, sql_names& into, bool every_word_a_type = false);

}  // namespace scalekit::db::detail

#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/slow/lexer.hpp"

#include <optional>
#include <string_view>

namespace scalekit::slow {

/// One statement of a script.
struct statement_view {
  /// From its first token to its last, without the semicolon and what surrounds it.
  std::string_view text;
  /// Its first word as written ("SELECT", "with"); empty when it begins with something else, such
  /// as a parenthesis.
  std::string_view keyword;
};

/// Separates the statements of a script at its semicolons.
///
/// Semicolons inside literals, comments, SQLite trigger bodies and PostgreSQL's BEGIN ATOMIC
/// function bodies do not separate. Empty statements are passed over. Same guarantees and
/// lifetimes as lexer.
class SCALEKIT_EXPORT statement_reader {
 public:
  statement_reader(std::string_view script, dialect d) noexcept : lexer_(script, d) {}

  /// The next statement; nothing at the end.
  std::optional<statement_view> next() noexcept;

 private:
  lexer lexer_;
};

/// The first word of a statement after spaces, comments and semicolons; empty when it begins with
/// something else.
SCALEKIT_EXPORT std::string_view first_keyword(std::string_view sql, dialect d) noexcept;

}  // namespace scalekit::slow

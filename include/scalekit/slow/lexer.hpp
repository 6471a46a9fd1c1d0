#pragma once

#include "scalekit/core/export.hpp"

#include <cstdint>
#include <string_view>

namespace scalekit::slow {

/// Whose lexical rules apply: they disagree on nested comments, dollar quotes, brackets, `?`, `:`
/// and `@`.
enum class dialect : std::uint8_t {
  /// PostgreSQL with standard_conforming_strings on, its default since 9.1.
  postgres,
  /// PostgreSQL with standard_conforming_strings off: a backslash escapes in every '' string.
  postgres_backslash_strings,
  sqlite,
};

enum class token_kind : std::uint8_t {
  /// Nothing is left; `text` is empty. Every later call gives it again.
  end,
  space,
  /// `-- ...` without its newline, or `/* ... */` (nested in PostgreSQL).
  comment,
  /// A keyword or an unquoted name.
  word,
  /// "a", U&"a"; in SQLite also `a` and [a]. With its quotes.
  quoted_name,
  /// 'a', $$a$$, $tag$a$tag$, E'', U&'', B'', X'', N'', with prefix and quotes. In PostgreSQL,
  /// literals that continue on the next line ('a' newline 'b') are one token, as the server
  /// reads them.
  string,
  /// 1, 1.5, .5, 1e5, 0xFF, 1_000. Letters that directly follow are swallowed: 12ab is one
  /// malformed number, so that no part of it is taken for a name.
  number,
  /// $1; in SQLite also ?, ?1, :name, @name, $name.
  parameter,
  /// One operator, `::`, `:=`, `.`; in PostgreSQL also `[` and `]`.
  op,
  open_paren,
  close_paren,
  comma,
  semicolon,
  /// Bytes that begin no token (NUL, control characters, braces, a lone backslash).
  other,
};

/// A piece of the statement, in place.
struct token {
  token_kind kind = token_kind::end;
  /// Points into the text that was given to the lexer.
  std::string_view text;
  /// False for a string, quoted name or comment that reaches the end of the text unclosed.
  bool terminated = true;
};

/// Cuts SQL into tokens, without understanding it.
///
/// The tokens of any text, put one after the other, are that text: any bytes are accepted,
/// nothing is dropped, nothing throws, allocates or recurses, and the time is linear. Operators
/// longer than 63 bytes are cut there (PostgreSQL's own limit).
///
/// Object lifetimes: the text must outlive the lexer and its tokens.
/// Thread safety: distinct lexers are independent.
class SCALEKIT_EXPORT lexer {
 public:
  lexer(std::string_view sql, dialect d) noexcept : rest_(sql), dialect_(d) {}

  token next() noexcept;

  /// As next(), passing over spaces and comments.
  token next_significant() noexcept;

  /// What was not read yet.
  std::string_view rest() const noexcept { return rest_; }

 private:
  std::string_view rest_;
  dialect dialect_;
};

/// Whether `word` is `lower_keyword`, whatever its case. ASCII, as keywords are.
SCALEKIT_EXPORT bool is_keyword(std::string_view word, std::string_view lower_keyword) noexcept;

}  // namespace scalekit::slow

#include "scalekit/slow/lexer.hpp"

#include "slow/ascii.hpp"

#include <algorithm>
#include <array>

namespace scalekit::slow {
namespace {

constexpr std::size_t npos = std::string_view::npos;
/// NAMEDATALEN - 1; also what keeps trimming operators linear.
constexpr std::size_t longest_op = 63;

/// What a scan found: the length of the token, and whether it was closed.
struct scanned {
  std::size_t size;
  bool terminated = true;
};

bool is_space(char c, dialect d) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' ||
         (c == '\v' && d != dialect::sqlite);
}

bool is_name_start(char c) noexcept {
  return is_letter(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool is_name_part(char c) noexcept {
  return is_name_start(c) || is_digit(c) || c == '$';
}

/// What PostgreSQL's operators are made of; no standard operator has the special ones.
enum class op_char : std::uint8_t { none, standard, special };

constexpr auto op_chars = [] {
  std::array<op_char, 256> table{};
  for (char c : std::string_view("+-*/<>="))
    table[static_cast<unsigned char>(c)] = op_char::standard;
  for (char c : std::string_view("~!@#%^&|`?")) {
    table[static_cast<unsigned char>(c)] = op_char::special;
  }
  return table;
}();

op_char op_char_of(char c) noexcept {
  return op_chars[static_cast<unsigned char>(c)];
}

template <class Predicate>
std::size_t run(std::string_view s, std::size_t from, Predicate holds) noexcept {
  while (from < s.size() && holds(s[from])) ++from;
  return from;
}

std::size_t line_comment(std::string_view s, dialect d) noexcept {
  auto end = s.find_first_of(d == dialect::sqlite ? "\n" : "\r\n");
  return std::min(end, s.size());
}

scanned block_comment(std::string_view s, dialect d) noexcept {
  const bool nests = d != dialect::sqlite;
  std::size_t depth = 1;
  for (std::size_t i = 2; i + 1 < s.size();) {
    if (s[i] == '*' && s[i + 1] == '/') {
      i += 2;
      if (--depth == 0) return {i};
    } else if (nests && s[i] == '/' && s[i + 1] == '*') {
      ++depth;
      i += 2;
    } else {
      ++i;
    }
  }
  return {s.size(), false};
}

/// From the opening quote at `from`; a doubled quote does not close.
scanned quoted(std::string_view s, std::size_t from, char quote, bool backslash) noexcept {
  for (std::size_t i = from + 1; i < s.size(); ++i) {
    if (backslash && s[i] == '\\') {
      ++i;
    } else if (s[i] == quote) {
      if (i + 1 == s.size() || s[i + 1] != quote) return {i + 1};
      ++i;
    }
  }
  return {s.size(), false};
}

/// Where a literal that ends at `from` continues: past spaces and line comments with a newline
/// among them, at a quote. npos if it does not.
std::size_t continuation(std::string_view s, std::size_t from, dialect d) noexcept {
  bool newline = false;
  while (from < s.size()) {
    if (is_space(s[from], d)) {
      newline |= s[from] == '\n' || s[from] == '\r';
      ++from;
    } else if (s.substr(from, 2) == "--") {
      from += line_comment(s.substr(from), d);
    } else {
      break;
    }
  }
  return newline && from < s.size() && s[from] == '\'' ? from : npos;
}

scanned string_literal(std::string_view s, std::size_t quote_at, bool backslash,
                       dialect d) noexcept {
  auto found = quoted(s, quote_at, '\'', backslash);
  if (d == dialect::sqlite) return found;
  while (found.terminated) {
    auto next = continuation(s, found.size, d);
    if (next == npos) break;
    found = quoted(s, next, '\'', backslash);
  }
  return found;
}

/// `$tag$ ... $tag$`; size 0 if no quote opens here.
scanned dollar_quoted(std::string_view s) noexcept {
  std::size_t tag = 1;
  if (tag < s.size() && is_name_start(s[tag])) {
    tag = run(s, tag, [](char c) { return is_name_start(c) || is_digit(c); });
  }
  if (tag >= s.size() || s[tag] != '$') return {0};
  // Linear although naive: the tag has no '$' inside, so a comparison ends at the next one.
  auto close = s.find(s.substr(0, tag + 1), tag + 1);
  return close == npos ? scanned{s.size(), false} : scanned{close + tag + 1};
}

std::size_t number(std::string_view s) noexcept {
  auto digits = [&](std::size_t i) {
    return run(s, i, [](char c) { return is_digit(c) || c == '_'; });
  };
  auto i = digits(0);
  // "1..10" is a range of PL/pgSQL, not the numbers "1." and ".10".
  if (i < s.size() && s[i] == '.' && s.substr(i, 2) != "..") i = digits(i + 1);
  if (i < s.size() && to_lower(s[i]) == 'e') {
    auto sign = i + 1;
    if (sign < s.size() && (s[sign] == '+' || s[sign] == '-')) ++sign;
    if (sign < s.size() && is_digit(s[sign])) i = digits(sign);
  }
  return run(s, i, is_name_part);
}

/// `:name`, `@name`, `$name`, with TCL's `::` and `(suffix)`. Without a name, what was looked at is
/// one malformed token, as in SQLite; looking at it again would not be linear.
token sqlite_variable(std::string_view s) noexcept {
  std::size_t i = 1;
  bool named = false;
  for (; i < s.size(); ++i) {
    if (is_name_part(s[i])) {
      named = true;
    } else if (named && s[i] == '(') {
      i = run(s, i, [](char c) { return c != ')' && !is_space(c, dialect::sqlite); });
      if (i < s.size() && s[i] == ')') ++i;
      break;
    } else if (s.substr(i, 2) == "::") {
      ++i;
    } else {
      break;
    }
  }
  return {named ? token_kind::parameter : token_kind::other, s.substr(0, i)};
}

std::size_t sqlite_op(std::string_view s) noexcept {
  if (s.starts_with("->>")) return 3;
  for (std::string_view two : {"->", "||", "<<", ">>", "<=", ">=", "<>", "==", "!="}) {
    if (s.starts_with(two)) return 2;
  }
  return 1;
}

std::size_t postgres_op(std::string_view s) noexcept {
  std::size_t size = 0;
  bool special = false;
  for (; size < s.size() && size < longest_op; ++size) {
    const auto kind = op_char_of(s[size]);
    if (kind == op_char::none) break;
    const char next = size + 1 < s.size() ? s[size + 1] : '\0';
    const bool comments = (s[size] == '-' && next == '-') || (s[size] == '/' && next == '*');
    if (size > 0 && comments) break;
    special |= kind == op_char::special;
  }
  // The server's rule: a trailing sign belongs to what follows ("=-1"), unless the operator has
  // a character that no standard operator has.
  if (!special) {
    while (size > 1 && (s[size - 1] == '+' || s[size - 1] == '-')) --size;
  }
  return size;
}

/// The quote after E, B, X, N or U&, if this word is such a prefix; else npos.
std::size_t prefixed_quote(std::string_view s, dialect d) noexcept {
  const char prefix = to_lower(s[0]);
  const char second = s.size() > 1 ? s[1] : '\0';
  if (d == dialect::sqlite) return prefix == 'x' && second == '\'' ? 1 : npos;
  if (prefix == 'u' && second == '&' && s.size() > 2 && (s[2] == '\'' || s[2] == '"')) return 2;
  const bool known = prefix == 'e' || prefix == 'b' || prefix == 'x' || prefix == 'n';
  return known && second == '\'' ? 1 : npos;
}

token cut(token_kind kind, std::string_view s, scanned found) noexcept {
  return {kind, s.substr(0, found.size), found.terminated};
}

token name_or_literal(std::string_view s, dialect d) noexcept {
  auto quote = prefixed_quote(s, d);
  if (quote == npos) return cut(token_kind::word, s, {run(s, 1, is_name_part)});
  if (s[quote] == '"') return cut(token_kind::quoted_name, s, quoted(s, quote, '"', false));
  const bool backslash =
      to_lower(s[0]) == 'e' || (d == dialect::postgres_backslash_strings && to_lower(s[0]) == 'n');
  return cut(token_kind::string, s, string_literal(s, quote, backslash, d));
}

token sqlite_special(std::string_view s) noexcept {
  switch (s[0]) {
    case '?':
      return cut(token_kind::parameter, s, {run(s, 1, is_digit)});
    case ':':
    case '@':
    case '#':
    case '$':
      return sqlite_variable(s);
    case '`':
      return cut(token_kind::quoted_name, s, quoted(s, 0, '`', false));
    case '[': {
      auto close = s.find(']');
      return cut(token_kind::quoted_name, s,
                 close == npos ? scanned{s.size(), false} : scanned{close + 1});
    }
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '<':
    case '>':
    case '=':
    case '!':
    case '&':
    case '|':
    case '~':
      return cut(token_kind::op, s, {sqlite_op(s)});
    default:
      return cut(token_kind::other, s, {1});
  }
}

token postgres_special(std::string_view s) noexcept {
  if (s[0] == '$') {
    auto digits = run(s, 1, is_digit);
    if (digits > 1) return cut(token_kind::parameter, s, {digits});
    auto found = dollar_quoted(s);
    return found.size ? cut(token_kind::string, s, found) : cut(token_kind::other, s, {1});
  }
  if (s[0] == ':') {
    auto two = s.substr(0, 2);
    return cut(token_kind::op, s, {two == "::" || two == ":=" ? 2U : 1U});
  }
  if (s[0] == '[' || s[0] == ']') return cut(token_kind::op, s, {1});
  if (op_char_of(s[0]) != op_char::none) return cut(token_kind::op, s, {postgres_op(s)});
  return cut(token_kind::other, s, {1});
}

token scan(std::string_view s, dialect d) noexcept {
  const char c = s[0];
  if (is_space(c, d)) {
    return cut(token_kind::space, s, {run(s, 1, [d](char x) { return is_space(x, d); })});
  }
  if (is_name_start(c)) return name_or_literal(s, d);
  if (is_digit(c)) return cut(token_kind::number, s, {number(s)});
  auto two = s.substr(0, 2);
  if (two == "--") return cut(token_kind::comment, s, {line_comment(s, d)});
  if (two == "/*") return cut(token_kind::comment, s, block_comment(s, d));
  switch (c) {
    case '(':
      return cut(token_kind::open_paren, s, {1});
    case ')':
      return cut(token_kind::close_paren, s, {1});
    case ',':
      return cut(token_kind::comma, s, {1});
    case ';':
      return cut(token_kind::semicolon, s, {1});
    case '.':
      if (s.size() > 1 && is_digit(s[1])) return cut(token_kind::number, s, {number(s)});
      return cut(token_kind::op, s, {1});
    case '"':
      return cut(token_kind::quoted_name, s, quoted(s, 0, '"', false));
    case '\'':
      return cut(token_kind::string, s,
                 string_literal(s, 0, d == dialect::postgres_backslash_strings, d));
    default:
      return d == dialect::sqlite ? sqlite_special(s) : postgres_special(s);
  }
}

}  // namespace

token lexer::next() noexcept {
  if (rest_.empty()) return {token_kind::end, rest_};
  auto found = scan(rest_, dialect_);
  rest_.remove_prefix(found.text.size());
  return found;
}

token lexer::next_significant() noexcept {
  auto found = next();
  while (found.kind == token_kind::space || found.kind == token_kind::comment) found = next();
  return found;
}

bool is_keyword(std::string_view word, std::string_view lower_keyword) noexcept {
  return std::equal(word.begin(), word.end(), lower_keyword.begin(), lower_keyword.end(),
                    [](char a, char b) { return to_lower(a) == b; });
}

}  // namespace scalekit::slow

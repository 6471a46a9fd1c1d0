#include "scalekit/slow/fingerprint.hpp"

#include "slow/hash.hpp"
#include "slow/keywords.hpp"
#include "slow/sql_writer.hpp"
#include "slow/utf8.hpp"

#include <algorithm>
#include <utility>

namespace scalekit::slow {
namespace {

/// Statements in which names stand for values.
enum class statement_rule { none, set, alter, pragma, attach, savepoint };

statement_rule rule_of(std::string_view first_keyword) noexcept {
  if (first_keyword == "set") return statement_rule::set;
  if (first_keyword == "alter") return statement_rule::alter;
  if (first_keyword == "pragma") return statement_rule::pragma;
  if (first_keyword == "attach") return statement_rule::attach;
  for (std::string_view word : {"savepoint", "release", "rollback"}) {
    if (first_keyword == word) return statement_rule::savepoint;
  }
  return statement_rule::none;
}

/// How much of a statement can be told apart into names and values.
///
/// A quote too many or too few ('O'Brien') turns values inside out: from the first literal on, none
/// of it can be trusted then. Its signs are a literal without an end, and a word right behind one.
std::size_t trusted_size(std::string_view sql, dialect d, bool is_whole) noexcept {
  lexer tokens(sql, d);
  auto first_literal = std::string_view::npos;
  bool after_quote = false;
  for (auto t = tokens.next(); t.kind != token_kind::end; t = tokens.next()) {
    const bool is_literal = t.kind == token_kind::string;
    const bool is_tail =
        after_quote && (t.kind == token_kind::word || t.kind == token_kind::number);
    if (is_literal) {
      const auto at = static_cast<std::size_t>(t.text.data() - sql.data());
      first_literal = std::min(first_literal, at);
    }
    if (is_literal && !t.terminated && is_whole) return first_literal;
    if (is_tail && find_keyword(t.text).kind == word_class::name) return first_literal;
    after_quote = is_literal && t.text.ends_with('\'');
  }
  return sql.size();
}

class normalizer {
 public:
  /// `is_cut`: a value and more followed, which is not told.
  normalizer(std::string_view sql, dialect d, bool is_cut) noexcept
      : tokens_(sql, d), is_cut_(is_cut), next_(read()) {
    advance();
  }

  std::string run() && {
    while (current_.kind != token_kind::end) {
      if (current_.kind == token_kind::semicolon) {
        at_start_ = true;
      } else {
        step();
      }
      advance();
    }
    return std::move(out_).take();
  }

 private:
  token read() noexcept {
    const auto found = tokens_.next_significant();
    const bool is_cut_here = found.kind == token_kind::end && std::exchange(is_cut_, false);
    return is_cut_here ? token{token_kind::string, {}} : found;
  }

  void advance() noexcept {
    current_ = next_;
    next_ = read();
  }

  void begin_statement() {
    // Semicolons are written only when something follows: "select 1;" is "select 1".
    if (out_.last() != written::nothing) out_.semicolon();
    at_start_ = false;
    after_row_ = false;
    after_equals_ = false;
    keyword_ = {};
    rule_ = statement_rule::none;
    rule_pending_ = true;
  }

  /// The rule of a statement is that of its first keyword, or of the one it explains.
  void find_rule() noexcept {
    if (current_.kind != token_kind::word) return;
    const auto word = find_keyword(current_.text).text;
    rule_pending_ = word == "explain" || word == "query" || word == "plan";
    rule_ = rule_of(word);
    // Tables have columns to set, and conditions behind them.
    if (rule_ == statement_rule::alter && is_keyword(next_.text, "table")) {
      rule_ = statement_rule::none;
    }
  }

  void step() {
    if (at_start_) begin_statement();
    if (std::exchange(rule_pending_, false)) find_rule();
    const bool row_ended = std::exchange(after_row_, false);
    const auto before = std::exchange(keyword_, std::string_view{});
    if (takes_the_rest(before)) return value_for_the_rest();
    switch (current_.kind) {
      case token_kind::word:
        return word(before);
      case token_kind::quoted_name:
        return quoted_name(before);
      case token_kind::op:
        return op(before);
      case token_kind::open_paren:
        return out_.open("(", before == "in"       ? list_kind::alike
                              : before == "values" ? list_kind::row
                                                   : list_kind::plain);
      case token_kind::close_paren:
        after_row_ = out_.close(")") == list_kind::row;
        return;
      case token_kind::comma:
        if (row_ended && next_.kind == token_kind::open_paren) return skip_row();
        return out_.comma();
      default:
        return out_.value();
    }
  }

  /// Values that need no quotes: the right side of SET and PRAGMA, the KEY of ATTACH.
  bool takes_the_rest(std::string_view before) const noexcept {
    switch (rule_) {
      case statement_rule::set:
        return before == "to" || after_equals_;
      case statement_rule::pragma:
        return after_equals_ || (out_.last() == written::open);
      case statement_rule::attach:
        return before == "key";
      default:
        return false;
    }
  }

  void value_for_the_rest() {
    const bool closes = out_.last() == written::open;
    out_.value();
    if (closes) out_.close(")");
    after_equals_ = false;
    while (next_.kind != token_kind::semicolon && next_.kind != token_kind::end) advance();
  }

  void word(std::string_view before) {
    // "User.id", "t.select": a name, whatever it looks like.
    const bool qualified = out_.last() == written::tight_op || next_.text == ".";
    const auto found = qualified ? keyword{} : find_keyword(current_.text);
    if (found.kind == word_class::name) return name(before);
    if (is_constant(found.text, before)) return out_.value();
    if (out_.at_list_start() && is_query(found.text)) out_.keep_list();
    out_.keyword(found.text, found.kind == word_class::opener);
    keyword_ = found.text;
    if (rule_ == statement_rule::alter && found.text == "set") rule_ = statement_rule::set;
  }

  void name(std::string_view before) {
    if (rule_ == statement_rule::savepoint) return out_.value();
    // SQLite takes a name for the file, which may be a URI with a key in it.
    const bool is_file = before == "attach" || before == "database";
    if (rule_ == statement_rule::attach && is_file) return out_.value();
    if (before == "password") return out_.value();
    out_.name(current_.text);
    if (is_keyword(current_.text, "array") && next_.text == "[") keyword_ = "array";
  }

  void quoted_name(std::string_view before) {
    // Unclosed, it may be a literal's tail.
    if (!current_.terminated) return out_.value();
    name(before);
  }

  static bool is_constant(std::string_view word, std::string_view before) noexcept {
    if (word != "null" && word != "true" && word != "false") return false;
    return before != "is" && before != "not" && before != "set";
  }

  static bool is_query(std::string_view word) noexcept {
    return word == "select" || word == "with" || word == "values";
  }

  void op(std::string_view before) {
    const auto text = current_.text;
    // A placeholder, or PostgreSQL's operator that looks like one; both are written "?".
    if (text == "?") return out_.value();
    if (text == "[") return out_.open("[", before == "array" ? list_kind::alike : list_kind::plain);
    if (text == "]") {
      out_.close("]");
      return;
    }
    const bool sign = (text == "-" || text == "+") && !out_.after_operand();
    if (sign && next_.kind == token_kind::number) return;
    after_equals_ =
        text == "=" && (rule_ == statement_rule::set || rule_ == statement_rule::pragma);
    out_.op(text);
  }

  /// From the comma before a further row of VALUES to the end of that row.
  void skip_row() noexcept {
    std::size_t depth = 0;
    while (next_.kind != token_kind::semicolon && next_.kind != token_kind::end) {
      advance();
      if (current_.kind == token_kind::open_paren) ++depth;
      if (current_.kind == token_kind::close_paren && --depth == 0) break;
    }
    after_row_ = true;
  }

  lexer tokens_;
  bool is_cut_;
  token current_;
  token next_;
  sql_writer out_;
  /// The keyword written last, if that was a keyword.
  std::string_view keyword_;
  statement_rule rule_ = statement_rule::none;
  bool rule_pending_ = false;
  bool at_start_ = true;
  bool after_row_ = false;
  bool after_equals_ = false;
};

}  // namespace

normalized_statement normalize(std::string_view sql, dialect d, normalize_limits limits) {
  normalized_statement done;
  const auto read = sql.substr(0, limits.max_sql_bytes);
  const auto trusted = trusted_size(read, d, read.size() == sql.size());
  done.text = normalizer(read.substr(0, trusted), d, trusted < read.size()).run();
  done.fingerprint = std::max<std::uint64_t>(hash_bytes(done.text), 1);
  done.truncated = cut_text(done.text, limits.max_text_bytes);
  return done;
}

}  // namespace scalekit::slow

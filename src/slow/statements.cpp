#include "scalekit/slow/statements.hpp"

#include <cstddef>

namespace scalekit::slow {
namespace {

/// Follows one statement and says whether a semicolon ends it.
///
/// Bodies in which semicolons are part of the statement begin with BEGIN (a trigger's) or BEGIN
/// ATOMIC (a function's), only in CREATE, outside parentheses; CASE also has an END of its own.
class body_tracker {
 public:
  void see(const token& t) noexcept {
    if (t.kind == token_kind::open_paren) ++parens_;
    if (t.kind == token_kind::close_paren && parens_ > 0) --parens_;
    if (t.kind == token_kind::word && parens_ == 0) see_word(t.text);
    after_begin_ = t.kind == token_kind::word && is_keyword(t.text, "begin");
    first_ = false;
  }

  bool inside() const noexcept { return depth_ > 0; }

 private:
  void see_word(std::string_view word) noexcept {
    if (first_) creates_ = is_keyword(word, "create");
    if (!creates_) return;
    if (is_keyword(word, "trigger")) trigger_ = true;
    const bool opens = depth_ == 0 ? (trigger_ && is_keyword(word, "begin")) ||
                                         (after_begin_ && is_keyword(word, "atomic"))
                                   : is_keyword(word, "case");
    if (opens) {
      ++depth_;
    } else if (depth_ > 0 && is_keyword(word, "end")) {
      --depth_;
    }
  }

  bool first_ = true;
  bool creates_ = false;
  bool trigger_ = false;
  bool after_begin_ = false;
  std::size_t parens_ = 0;
  std::size_t depth_ = 0;
};

}  // namespace

std::optional<statement_view> statement_reader::next() noexcept {
  auto t = lexer_.next_significant();
  while (t.kind == token_kind::semicolon) t = lexer_.next_significant();
  if (t.kind == token_kind::end) return std::nullopt;

  const char* begin = t.text.data();
  const char* end = begin;
  statement_view found;
  if (t.kind == token_kind::word) found.keyword = t.text;
  body_tracker body;
  while (t.kind != token_kind::end && (t.kind != token_kind::semicolon || body.inside())) {
    body.see(t);
    end = t.text.data() + t.text.size();
    t = lexer_.next_significant();
  }
  found.text = {begin, static_cast<std::size_t>(end - begin)};
  return found;
}

std::string_view first_keyword(std::string_view sql, dialect d) noexcept {
  lexer words(sql, d);
  auto t = words.next_significant();
  while (t.kind == token_kind::semicolon) t = words.next_significant();
  return t.kind == token_kind::word ? t.text : std::string_view{};
}

}  // namespace scalekit::slow

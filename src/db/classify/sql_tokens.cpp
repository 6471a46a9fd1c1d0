#include "db/classify/sql_tokens.hpp"

namespace scalekit::db::detail {
namespace {

bool is_readable(const slow::token& t) noexcept {
  if (!t.terminated || t.kind == slow::token_kind::other) return false;
  return t.kind != slow::token_kind::quoted_name || t.text.starts_with('"');
}

}  // namespace

sql_tokens::sql_tokens(std::string_view sql) {
  slow::lexer lexer(sql, slow::dialect::postgres);
  std::vector<std::size_t> open;
  for (auto t = lexer.next(); t.kind != slow::token_kind::end; t = lexer.next()) {
    unreadable_ |= !is_readable(t);
    if (t.kind == slow::token_kind::space || t.kind == slow::token_kind::comment) continue;
    const auto place = tokens_.size();
    tokens_.push_back(t);
    closing_.push_back(place);
    if (t.kind == slow::token_kind::open_paren) open.push_back(place);
    if (t.kind == slow::token_kind::close_paren && !open.empty()) {
      closing_[open.back()] = place;
      open.pop_back();
    }
  }
  for (auto place : open) closing_[place] = tokens_.size();
}

bool sql_tokens::begins_locking(std::size_t i) const noexcept {
  if (!is(i, "for")) return false;
  if (is(i + 1, "update") || is(i + 1, "share")) return true;
  if (is(i + 1, "key")) return is(i + 2, "share");
  return is(i + 1, "no") && is(i + 2, "key");
}

std::string folded_name(std::string_view text) {
  std::string name;
  name.reserve(text.size());
  if (!text.starts_with('"')) {
    for (char c : text) name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return name;
  }
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] != '"') {
      name += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '"') {
      name += text[i++];
    } else {
      break;
    }
  }
  return name;
}

}  // namespace scalekit::db::detail

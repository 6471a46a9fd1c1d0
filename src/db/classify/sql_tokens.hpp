#pragma once

#include "scalekit/slow/lexer.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::db::detail {

/// The tokens of a text but for spaces and comments, with what reading SQL by them needs. The text
/// must outlive it. A place past the end is a token of kind end.
class sql_tokens {
 public:
  explicit sql_tokens(std::string_view sql);

  std::size_t size() const noexcept { return tokens_.size(); }

  const slow::token& at(std::size_t i) const noexcept {
    return i < tokens_.size() ? tokens_[i] : end_;
  }
  /// The token before; of kind end for the first.
  const slow::token& before(std::size_t i) const noexcept { return i == 0 ? end_ : at(i - 1); }

  slow::token_kind kind(std::size_t i) const noexcept { return at(i).kind; }

  /// An unquoted word, whatever its case.
  bool is(std::size_t i, std::string_view lower_word) const noexcept {
    return is_word(at(i), lower_word);
  }
  bool before_is(std::size_t i, std::string_view lower_word) const noexcept {
    return is_word(before(i), lower_word);
  }

  bool is_name(std::size_t i) const noexcept {
    return kind(i) == slow::token_kind::word || kind(i) == slow::token_kind::quoted_name;
  }
  bool is_dot(std::size_t i) const noexcept {
    return kind(i) == slow::token_kind::op && at(i).text == ".";
  }
  /// A word or name with '(' behind it.
  bool is_call(std::size_t i) const noexcept {
    return is_name(i) && kind(i + 1) == slow::token_kind::open_paren;
  }

  /// For a '(' its ')', or size() if there is none; for anything else its own place.
  std::size_t closing(std::size_t i) const noexcept { return i < size() ? closing_[i] : size(); }

  /// Whether a locking clause begins here: FOR UPDATE, NO KEY UPDATE, SHARE, KEY SHARE.
  bool begins_locking(std::size_t i) const noexcept;

  /// Unterminated tokens, U&"..." names (whose escapes are not decoded), bytes that begin no
  /// token.
  bool unreadable() const noexcept { return unreadable_; }

 private:
  static bool is_word(const slow::token& t, std::string_view lower_word) noexcept {
    return t.kind == slow::token_kind::word && slow::is_keyword(t.text, lower_word);
  }

  slow::token end_;
  std::vector<slow::token> tokens_;
  std::vector<std::size_t> closing_;
  bool unreadable_ = false;
};

/// A token's name as PostgreSQL folds it: unquoted in lower case (ASCII), quoted as it is.
std::string folded_name(std::string_view token_text);

}  // namespace scalekit::db::detail

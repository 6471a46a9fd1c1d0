#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace scalekit::slow {

/// What was written last, as far as spacing and signs depend on it.
enum class written { nothing, name, keyword, opener, value, open, close, comma, op, tight_op };

/// What a pair of brackets holds.
enum class list_kind {
  plain,
  /// IN (...), ARRAY[...]: neighbours that are written alike become one.
  alike,
  /// A row of VALUES.
  row,
};

/// Writes the tokens of a normalised statement with canonical spaces, and collapses lists.
///
/// Spacing depends on the tokens alone, so that reading the result again gives the same tokens
/// and hence the same text.
class sql_writer {
 public:
  void name(std::string_view text);
  /// `expression_follows`: see word_class::opener.
  void keyword(std::string_view lower, bool expression_follows);
  void value() { put("?", written::value); }
  void op(std::string_view text);
  void semicolon();

  void open(std::string_view bracket, list_kind kind);
  void comma();
  /// Returns what was closed.
  list_kind close(std::string_view bracket);

  /// The innermost open list is none after all (it turned out to be a subquery).
  void keep_list() noexcept;

  written last() const noexcept { return last_; }
  /// True when what was written last can be the left side of a binary operator.
  bool after_operand() const noexcept;
  /// True when nothing was written since the innermost bracket opened.
  bool at_list_start() const noexcept { return last_ == written::open; }

  std::string take() && { return std::move(out_); }

 private:
  /// An open bracket: where its current element begins and where the one before lies.
  struct list {
    list_kind kind = list_kind::plain;
    bool has_previous = false;
    std::size_t begin = 0;
    std::size_t previous_begin = 0;
    std::size_t previous_end = 0;
  };
  // Deeper ones are written but not collapsed.
  static constexpr std::size_t max_tracked = 64;

  void put(std::string_view text, written as);
  bool needs_space(std::string_view text, written as) const noexcept;
  list* innermost() noexcept;
  void end_element();

  std::string out_;
  written last_ = written::nothing;
  std::array<list, max_tracked> lists_{};
  std::size_t depth_ = 0;
};

}  // namespace scalekit::slow

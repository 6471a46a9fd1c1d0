#pragma once

#include <cstdint>
#include <string_view>

namespace scalekit::slow {

/// What a keyword means for normalising.
enum class word_class : std::uint8_t {
  /// No keyword: a name.
  name,
  /// Ends an operand, or is one: a sign that follows is an operator ("end - 1").
  operand,
  /// An expression may follow: a sign belongs to the number that follows ("limit -1").
  opener,
};

/// A word looked up in the table of keywords.
struct keyword {
  /// Lower case; empty for a name.
  std::string_view text;
  word_class kind = word_class::name;
};

/// The keyword that `word` is, whatever its case. Only words that are seldom used as names are in
/// the table.
keyword find_keyword(std::string_view word) noexcept;

}  // namespace scalekit::slow

#include "db/classify/sql_names.hpp"

#include "db/classify/sql_tokens.hpp"

#include <algorithm>

namespace scalekit::db::detail {
namespace {

using slow::token_kind;

/// (x).f is f(x), if f is no column: also where x is no row.
bool is_attribute_of_value(const sql_tokens& t, std::size_t i) {
  if (i < 2 || !t.is_dot(i - 1)) return false;
  return t.kind(i - 2) == token_kind::close_paren || t.at(i - 2).text == "]";
}

/// The names of a type, schema and all, that is written from `i` on; or of those in the columns of
/// an alias: AS t (a integer).
void add_types(const sql_tokens& t, std::size_t i, sql_names& into) {
  for (; t.is_name(i); i += 2) {
    into.types.insert(folded_name(t.at(i).text));
    if (!t.is_dot(i + 1)) break;
  }
  if (!t.is_call(i)) return;
  for (const auto close = t.closing(i + 1); i < close; ++i) {
    if (t.is_name(i)) into.types.insert(folded_name(t.at(i).text));
  }
}

}  // namespace

void add_names(std::string_view sql, sql_names& into, bool every_word_a_type) {
  const sql_tokens t(sql);
  into.unreadable |= t.unreadable();
  for (std::size_t i = 0; i < t.size(); ++i) {
    if (t.is_name(i)) {
      auto name = folded_name(t.at(i).text);
      if (t.is_call(i) || is_attribute_of_value(t, i)) into.calls.insert(name);
      if (every_word_a_type) into.types.insert(name);
      into.words.insert(std::move(name));
      into.locks_rows |= t.begins_locking(i);
      if (t.is(i, "as") || t.is(i, "returning")) add_types(t, i + 1, into);
    } else if (t.kind(i) == token_kind::op) {
      into.operators.emplace(t.at(i).text);
      if (t.at(i).text == "::") add_types(t, i + 1, into);
    }
  }
}

void sql_names::merge(const sql_names& other) {
  calls.insert(other.calls.begin(), other.calls.end());
  words.insert(other.words.begin(), other.words.end());
  types.insert(other.types.begin(), other.types.end());
  operators.insert(other.operators.begin(), other.operators.end());
  locks_rows |= other.locks_rows;
  unreadable |= other.unreadable;
}

sql_names sql_names::without(const sql_names& other) const {
  auto difference = [](const name_set& a, const name_set& b) {
    name_set rest;
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(rest, rest.end()));
    return rest;
  };
  sql_names rest;
  rest.calls = difference(calls, other.calls);
  rest.words = difference(words, other.words);
  rest.types = difference(types, other.types);
  rest.operators = difference(operators, other.operators);
  return rest;
}

}  // namespace scalekit::db::detail

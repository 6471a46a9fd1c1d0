#include "db/classify/builtin_functions.hpp"
#include "db/classify/sql_tokens.hpp"
#include "db/classify/statement_class.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace scalekit::db::detail {
namespace {

using slow::token_kind;

template <std::size_t N>
bool is_one_of(const sql_tokens& t, std::size_t i, const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return t.is(i, word); });
}

constexpr auto query_words = std::to_array<std::string_view>({"select", "values", "table", "with"});

std::size_t past_parens(const sql_tokens& t, std::size_t i) {
  while (t.kind(i) == token_kind::open_paren) ++i;
  return i;
}

bool begins_query(const sql_tokens& t, std::size_t i) {
  return is_one_of(t, past_parens(t, i), query_words);
}

/// One past the last token of the statement: trailing semicolons are not part of it.
std::size_t end_of_statement(const sql_tokens& t) {
  auto end = t.size();
  while (end > 0 && t.kind(end - 1) == token_kind::semicolon) --end;
  return end;
}

/// In CREATE, semicolons may stand inside: in the parentheses of a rule, in a body of standard SQL.
bool has_several(const sql_tokens& t, std::size_t end) {
  const bool creates = t.is(0, "create");
  for (std::size_t i = 0; i < end; ++i) {
    if (creates && t.is(i, "begin") && t.is(i + 1, "atomic")) return false;
    if (creates && t.kind(i) == token_kind::open_paren) i = t.closing(i);
    if (t.kind(i) == token_kind::semicolon) return true;
  }
  return false;
}

/// Whether the query in [from, end) changes data, at any depth. INSERT, UPDATE, DELETE and MERGE
/// may be names of columns, so what follows counts too; only a statement with WITH can have them.
bool query_writes(const sql_tokens& t, std::size_t from, std::size_t end) {
  bool with = false;
  for (auto i = from; i < end; ++i) {
    if (t.kind(i) != token_kind::word || t.is_dot(i - 1)) continue;
    with |= t.is(i, "with");
    // SELECT INTO as well as INSERT INTO and MERGE INTO; after AS any word is a label.
    if (t.is(i, "into") && !t.before_is(i, "as")) return true;
    if (!with) continue;
    if (t.is(i, "delete") && t.is(i + 1, "from")) return true;
    const bool locking = t.before_is(i, "for") || t.before_is(i, "key");
    if (t.is(i, "update") && t.is_name(i + 1) && !t.is(i + 1, "from") && !locking) return true;
  }
  return false;
}

/// SELECT ... INTO TEMP t, and CREATE in a temporary schema.
bool makes_temporary(const sql_tokens& t, std::size_t end) {
  for (std::size_t i = 0; i < end; ++i) {
    if (t.is(i, "pg_temp") && t.is_dot(i + 1)) return true;
    const auto after = t.is(i + 1, "local") || t.is(i + 1, "global") ? i + 2 : i + 1;
    const bool temporary = t.is(after, "temp") || t.is(after, "temporary");
    if (t.is(i, "into") && temporary && !t.before_is(i, "as")) return true;
  }
  return false;
}

bool creates_temporary(const sql_tokens& t, std::size_t end) {
  std::size_t i = t.is(1, "or") && t.is(2, "replace") ? 3 : 1;
  if (t.is(i, "local") || t.is(i, "global")) ++i;
  return t.is(i, "temp") || t.is(i, "temporary") || makes_temporary(t, end);
}

statement_kind kind_of_query(const sql_tokens& t, std::size_t from, std::size_t end) {
  if (!begins_query(t, from)) return statement_kind::write;
  if (!query_writes(t, from, end)) return statement_kind::read;
  return makes_temporary(t, end) ? statement_kind::session_state : statement_kind::write;
}

struct explained {
  std::size_t statement;
  bool runs_it = false;
};

explained read_explain(const sql_tokens& t) {
  auto analyze = [&](std::size_t i) { return t.is(i, "analyze") || t.is(i, "analyse"); };
  explained found{1};
  if (t.kind(1) == token_kind::open_paren && !begins_query(t, 1)) {
    const auto close = t.closing(1);
    for (std::size_t i = 2; i < close; ++i) {
      const auto value = t.at(i + 1).text;
      const bool off = t.is(i + 1, "off") || t.is(i + 1, "false") || value == "0";
      found.runs_it |= analyze(i) && !off;
    }
    found.statement = close + 1;
    return found;
  }
  while (analyze(found.statement) || t.is(found.statement, "verbose")) {
    found.runs_it |= analyze(found.statement++);
  }
  return found;
}

void classify_explain(const sql_tokens& t, std::size_t end, statement_class& c) {
  const auto found = read_explain(t);
  if (t.is(found.statement, "execute")) {
    c.kind = statement_kind::session_state;
  } else if (found.runs_it) {
    c.kind = kind_of_query(t, found.statement, end);
  } else {
    c.kind = statement_kind::read;
    c.locks_rows = c.marks_session = false;
    c.functions.clear();
  }
}

void classify_copy(const sql_tokens& t, std::size_t end, statement_class& c) {
  c.kind = statement_kind::write;
  for (std::size_t i = 1; i < end; ++i) {
    if (t.kind(i) == token_kind::open_paren) i = t.closing(i);
    const bool from = t.is(i, "from");
    if ((!from && !t.is(i, "to")) || t.is_dot(i - 1)) continue;
    // The grammar takes either word in either direction.
    if (!t.is(i + 1, "stdin") && !t.is(i + 1, "stdout")) return;
    c.kind = from ? statement_kind::copy_in : statement_kind::copy_out;
    const bool query = t.kind(1) == token_kind::open_paren;
    c.copies_a_write = query && kind_of_query(t, 2, i) != statement_kind::read;
    return;
  }
}

statement_kind kind_of_set(const sql_tokens& t) {
  const bool control = t.is(1, "transaction") || t.is(1, "constraints");
  return control ? statement_kind::transaction_control : statement_kind::session_state;
}

constexpr auto control_words = std::to_array<std::string_view>(
    {"begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release"});
constexpr auto session_words = std::to_array<std::string_view>(
    {"reset", "discard", "listen", "unlisten", "prepare", "execute", "deallocate", "declare",
     "fetch", "move", "close", "lock", "load"});

void classify_by_first_word(const sql_tokens& t, std::size_t end, statement_class& c) {
  c.kind = statement_kind::write;
  if (begins_query(t, 0)) {
    c.kind = kind_of_query(t, 0, end);
  } else if (t.is(0, "show")) {
    c.kind = statement_kind::read;
  } else if (t.is(0, "explain")) {
    classify_explain(t, end, c);
  } else if (t.is(0, "copy")) {
    classify_copy(t, end, c);
  } else if (t.is(0, "set")) {
    c.kind = kind_of_set(t);
  } else if (t.is(0, "create")) {
    if (creates_temporary(t, end)) c.kind = statement_kind::session_state;
  } else if (is_one_of(t, 0, control_words) || (t.is(0, "prepare") && t.is(1, "transaction"))) {
    c.kind = statement_kind::transaction_control;
  } else if (is_one_of(t, 0, session_words)) {
    c.kind = statement_kind::session_state;
  }
}

/// Words that may be a function's name but, here, are a construct.
bool is_construct_here(const sql_tokens& t, std::size_t i) {
  const auto word = folded_name(t.at(i).text);
  if (is_construct(word)) return true;
  if (word == "by") {
    return t.before_is(i, "group") || t.before_is(i, "order") || t.before_is(i, "partition");
  }
  if (word == "filter") return t.is(i + 2, "where");
  if (word == "over") return t.before(i).kind == token_kind::close_paren;
  if (word == "materialized") return t.before_is(i, "as") || t.before_is(i, "not");
  if (word == "cube" || word == "rollup") return t.before_is(i, "by");
  if (word == "sets") return t.before_is(i, "grouping");
  if (word == "varying") return t.before_is(i, "character") || t.before_is(i, "bit");
  if (word == "zone") return t.before_is(i, "time");
  return false;
}

/// name (columns) AS [[NOT] MATERIALIZED] (query), in a WITH.
bool names_a_cte(const sql_tokens& t, std::size_t i) {
  const bool listed = t.before_is(i, "with") || t.before_is(i, "recursive") ||
                      t.before(i).kind == token_kind::comma;
  auto after = t.closing(i + 1) + 1;
  if (!listed || !t.is(after, "as")) return false;
  ++after;
  if (t.is(after, "not")) ++after;
  if (t.is(after, "materialized")) ++after;
  return t.kind(after) == token_kind::open_paren && begins_query(t, after);
}

bool is_function(const sql_tokens& t, std::size_t i) {
  if (t.is_dot(i - 1)) return true;
  // `AS name (`: columns of an alias, or a type with a modifier.
  if (t.before_is(i, "as") || names_a_cte(t, i)) return false;
  return t.kind(i) == token_kind::quoted_name || !is_construct_here(t, i);
}

bool is_builtin(const called_function& f) {
  return f.schema.empty() || f.schema == "pg_catalog";
}

/// set_config(name, value, true): whatever else stands in the third place may be false.
bool ends_with_transaction(const sql_tokens& t, std::size_t i) {
  const auto close = t.closing(i + 1);
  return t.is(close - 1, "true") && t.kind(close - 2) == token_kind::comma;
}

void find_functions(const sql_tokens& t, std::size_t end, statement_class& c) {
  std::set<std::pair<std::string, std::string>> seen;
  for (std::size_t i = 0; i < end; ++i) {
    if (!t.is_call(i) || !is_function(t, i)) continue;
    called_function f{{}, folded_name(t.at(i).text)};
    if (i >= 2 && t.is_dot(i - 1) && t.is_name(i - 2)) f.schema = folded_name(t.at(i - 2).text);
    c.marks_session |= is_builtin(f) && lasts_in_session(f.name) && !ends_with_transaction(t, i);
    if (seen.emplace(f.schema, f.name).second) c.functions.push_back(std::move(f));
  }
}

}  // namespace

statement_class classify(std::string_view sql) {
  const sql_tokens t(sql);
  const auto end = end_of_statement(t);
  statement_class c;
  c.unreadable = t.unreadable();
  if (end == 0) return c;

  for (std::size_t i = 0; i < end; ++i) {
    c.locks_rows |= t.begins_locking(i);
    c.has_parameters |= t.kind(i) == token_kind::parameter;
  }
  find_functions(t, end, c);
  classify_by_first_word(t, end, c);
  if (has_several(t, end)) c.kind = statement_kind::several;
  if (c.unreadable && c.kind == statement_kind::read) c.kind = statement_kind::write;
  c.calls_effectful_builtin = std::any_of(
      c.functions.begin(), c.functions.end(),
      [](const called_function& f) { return is_builtin(f) && is_effectful_builtin(f.name); });
  return c;
}

}  // namespace scalekit::db::detail

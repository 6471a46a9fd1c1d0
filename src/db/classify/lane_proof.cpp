#include "db/classify/lane_proof.hpp"

#include "db/classify/builtin_functions.hpp"
#include "db/classify/lane_queries.hpp"
#include "db/classify/statement_class.hpp"
#include "scalekit/slow/lexer.hpp"

#include <algorithm>
#include <utility>

namespace scalekit::db::detail {
namespace {

// No innocent schema comes near; beyond, the proof costs more than the lane gains.
constexpr std::size_t most_rounds = 16;
constexpr std::size_t most_names = 8192;

// Operators that no text shows: LIKE, IN, BETWEEN, DISTINCT, ORDER BY, joins by USING, ...
constexpr std::string_view hidden_operators = "= <> < > <= >= ~~ !~~ ~~* !~~* ~ !~";

std::string array_literal(const sql_names::name_set& names) {
  std::string literal = "{";
  for (const auto& name : names) {
    if (literal.size() > 1) literal += ',';
    literal += '"';
    for (char c : name) {
      if (c == '"' || c == '\\') literal += '\\';
      literal += c;
    }
    literal += '"';
  }
  return literal + "}";
}

bool is_plain_query(std::string_view sql) {
  slow::lexer lexer(sql, slow::dialect::postgres);
  auto first = lexer.next_significant();
  while (first.kind == slow::token_kind::open_paren) first = lexer.next_significant();
  return first.kind == slow::token_kind::word && !slow::is_keyword(first.text, "explain") &&
         !slow::is_keyword(first.text, "show");
}

std::string why_not_by_text(std::string_view sql) {
  const auto c = classify(sql);
  if (c.unreadable) return "text that cannot be read reliably";
  if (c.kind != statement_kind::read || !is_plain_query(sql)) return "not a plain query";
  if (c.locks_rows) return "locks rows";
  return {};
}

}  // namespace

const std::array<std::string_view, 2> lane_proof_begin{
    "begin read only", "set local plan_cache_mode = force_generic_plan"};

lane_proof::lane_proof(std::string_view sql, std::string prepared, std::size_t parameters)
    : prepared_(std::move(prepared)), parameters_(parameters) {
  add_names(sql, found_);
  add_names(hidden_operators, found_);
  if (auto why = why_not_by_text(sql); !why.empty()) refuse(std::move(why));
}

std::optional<proof_query> lane_proof::next() const {
  switch (step_) {
    case step::plan: {
      std::string sql = "explain (verbose, format json, costs off) execute " + prepared_;
      for (std::size_t i = 0; i < parameters_; ++i) sql += i == 0 ? "(null" : ", null";
      if (parameters_ > 0) sql += ')';
      return proof_query{std::move(sql), {}};
    }
    case step::unnamed:
      return proof_query{lane_unnamed_query(), {prepared_}};
    case step::names:
      return proof_query{lane_names_query(),
                         {array_literal(asking_.calls), array_literal(asking_.words),
                          array_literal(asking_.types), array_literal(asking_.operators)}};
    case step::done:
      break;
  }
  return std::nullopt;
}

void lane_proof::refuse(std::string why) {
  step_ = step::done;
  verdict_ = {false, std::move(why)};
}

void lane_proof::failed(std::string_view sqlstate) {
  refuse("the server refused the proof with SQLSTATE " + std::string(sqlstate));
}

void lane_proof::answer(const proof_rows& rows) {
  switch (step_) {
    case step::plan:
      return answer_plan(rows);
    case step::unnamed:
    case step::names:
      return answer_objects(rows);
    case step::done:
      return;
  }
}

void lane_proof::answer_plan(const proof_rows& rows) {
  const bool one = rows.size() == 1 && rows[0].size() == 1 && rows[0][0].has_value();
  if (!one) return refuse("EXPLAIN gave other than one plan");
  auto judged = judge_plan(*rows[0][0], found_);
  if (!judged.proven) return refuse(std::move(judged.reason));
  step_ = step::unnamed;
}

void lane_proof::answer_objects(const proof_rows& rows) {
  const std::string by = step_ == step::unnamed ? " (of a cast, type or operator class)" : "";
  for (const auto& row : rows) {
    if (row.size() != 4 || !row[0]) return refuse("the catalogue answered in another shape");
    if (row[1]) return refuse(*row[0] + " " + *row[1] + by);
    if (row[3]) look_into(*row[0], row[2].value_or("sql"), *row[3]);
    if (step_ == step::done) return;
  }
  ask_names();
}

void lane_proof::look_into(std::string_view what, std::string_view language,
                           std::string_view source) {
  const bool plpgsql = language == "plpgsql";
  sql_names inside;
  add_names(source, inside, plpgsql || language == "types");
  auto found_in = [what](std::string_view why) {
    return std::string(what) + " " + std::string(why);
  };
  if (inside.unreadable) return refuse(found_in("cannot be read reliably"));
  if (inside.locks_rows) return refuse(found_in("locks rows"));
  if (plpgsql && inside.words.contains("execute")) return refuse(found_in("runs dynamic SQL"));
  found_.merge(inside);
}

void lane_proof::ask_names() {
  // hstore's operator #= does what its populate_record() does.
  if (found_.operators.contains("#=") ||
      std::any_of(found_.calls.begin(), found_.calls.end(), builds_rows)) {
    found_.types.insert(found_.words.begin(), found_.words.end());
  }
  asking_ = found_.without(asked_);
  for (const auto& name : asking_.calls) {
    if (hides_effects(name)) return refuse("calls " + name + ", which hides what it runs or does");
  }
  if (asking_.size() == 0) {
    step_ = step::done;
    verdict_ = {true, {}};
    return;
  }
  if (++rounds_ > most_rounds || found_.size() > most_names) {
    return refuse("refers to more than a proof looks into");
  }
  asked_.merge(asking_);
  step_ = step::names;
}

}  // namespace scalekit::db::detail

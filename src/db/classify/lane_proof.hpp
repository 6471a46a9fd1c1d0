#pragma once

#include "db/classify/plan_verdict.hpp"
#include "db/classify/sql_names.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::db::detail {

/// A question to the server: text and text-format parameters.
struct proof_query {
  std::string sql;
  std::vector<std::string> parameters;
};

/// The answer: rows of text-format columns, nullopt for NULL.
using proof_rows = std::vector<std::vector<std::optional<std::string>>>;

/// Proves that a statement locks nothing and calls nothing volatile, by two routes that must both
/// hold:
///
/// 1. Its generic plan, in which views, policies and inlined functions stand: none but known node
///    types. The names in its expressions join those of route 2.
/// 2. Names: everything that the text and the plan may mean is looked up. Functions, operators,
///    casts and the parts of aggregates count by their volatility; what has a text of its own
///    (views, policies, SQL and PL/pgSQL bodies, defaults of arguments, checks of domains) is read
///    for names in turn, until nothing new appears. This sees what no plan shows: what was folded
///    away, implicit casts, bodies that are not inlined, functions that are declared stable and
///    call volatile ones (which PostgreSQL allows).
///
/// A name stands for all objects so called, in any schema: the error is a refusal, never a proof.
///
/// Trusted: the volatility of functions in C or `internal` that come with PostgreSQL or belong
/// to an extension, but for those known to run SQL or checks given in a string. Refused: other
/// languages, whose body cannot be looked into; dynamic SQL; foreign tables; TABLESAMPLE.
///
/// The driver, on a connection of its own with the lanes' role and settings (search_path,
/// standard_conforming_strings on), the statement prepared as `prepared` by protocol with the
/// lanes' parameter types: runs lane_proof_begin, then every next() with its answer() or failed(),
/// then ROLLBACK. When the connection breaks there is no verdict.
///
/// I/O-free; one thread at a time.
class lane_proof {
 public:
  /// `prepared`: [a-z0-9_]+. `parameters`: how many the statement has.
  lane_proof(std::string_view sql, std::string prepared, std::size_t parameters);

  /// What to ask next; nullopt once verdict() stands. Asking again gives the same question.
  std::optional<proof_query> next() const;

  /// What the server answered to next(). Unexpected columns are a refusal.
  void answer(const proof_rows& rows);

  /// The server refused next() with this SQLSTATE: so is the statement.
  void failed(std::string_view sqlstate);

  /// Meaningful when next() is nullopt.
  const plan_verdict& verdict() const noexcept { return verdict_; }

 private:
  enum class step { plan, unnamed, names, done };

  void refuse(std::string why);
  void answer_plan(const proof_rows& rows);
  void answer_objects(const proof_rows& rows);
  void look_into(std::string_view what, std::string_view language, std::string_view source);
  void ask_names();

  std::string prepared_;
  std::size_t parameters_;
  step step_ = step::plan;
  plan_verdict verdict_;
  sql_names found_;
  sql_names asked_;
  // What the question of step::names is about.
  sql_names asking_;
  std::size_t rounds_ = 0;
};

/// To run, one by one, before the first question. Generic plans, because a NULL for an argument
/// would fold strict volatile functions away. Needs PostgreSQL 12.
extern const std::array<std::string_view, 2> lane_proof_begin;

}  // namespace scalekit::db::detail

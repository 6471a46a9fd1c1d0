#pragma once

#include "db/classify/plan_verdict.hpp"
#include "db/classify/sql_names.hpp"

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

/// Proves that a statement locks nothing and calls nothing volatile, by two independent routes
/// that must both hold:
///
/// 1. Its generic plan, in which views, policies and inlined functions stand: only known node
///    types, and the names in its expressions join those of route 2.
/// 2. Names: everything the text (and the plan) can refer to is looked up; functions,
///    operators, casts and aggregates by their volatility, and what has a text of its own
///    (views, policies, SQL and PL/pgSQL bodies, defaults, checks of domains) is read for names
///    in turn, until nothing new appears. This sees what a plan does not show: constants folded
///    away, implicit casts, bodies that are not inlined, functions that call volatile ones although
///    they are declared stable.
///
/// A name stands for all objects so called, in any schema: the error is a refusal, never a proof.
///
/// Trusted: the label of functions in C and `internal` in pg_catalog or an extension (but for
/// those that run SQL given to them, which are refused by name). Refused: every other language,
/// whose body cannot be looked into; dynamic SQL; foreign tables; TABLESAMPLE.
///
/// The driver, on a connection of its own with the lanes' role and settings, statement prepared
/// as `prepared` by protocol with the lanes' parameter types: runs lane_proof_begin, then
/// every next() with its answer(), then ROLLBACK. A query that fails: abandon, no verdict.
///
/// I/O-free; one thread at a time.
class lane_proof {
 public:
  /// `prepared`: [a-z0-9_]+. `parameters`: how many the statement has.
  lane_proof(std::string_view sql, std::string prepared, std::size_t parameters);

  /// What to ask next; nullopt once verdict() stands. Asking again gives the same question.
  std::optional<proof_query> next() const;

  /// The answer to next().
  void answer(const proof_rows& rows);

  /// Meaningful when next() is nullopt.
  const plan_verdict& verdict() const noexcept { return verdict_; }

 private:
  enum class step { plan, parameters, names, done };

  void refuse(std::string why);
  void look_into(std::string_view source, std::string_view language, std::string_view what);
  void next_round();

  std::string prepared_;
  std::size_t parameters_;
  step step_ = step::plan;
  plan_verdict verdict_;
  // What was asked already, and what was found since.
  sql_names asked_;
  sql_names found_;
  std::size_t rounds_ = 0;
};

/// To run, one by one, before the first question.
extern const std::string_view lane_proof_begin[3];

}  // namespace scalekit::db::detail

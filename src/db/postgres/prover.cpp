#include "db/postgres/prover.hpp"

#include "db/classify/lane_proof.hpp"
#include "db/postgres/drive.hpp"
#include "db/postgres/next_result.hpp"

#include <string>
#include <utility>
#include <vector>

namespace scalekit::db::postgres {

using detail::lane_proof;
using detail::proof_rows;

namespace {

/// Prepares one statement and stops there.
class preparation final : public conversation {
 public:
  explicit preparation(const statement_entry_ptr& entry) { e_->entry = entry; }

  bool advance(connection& c) override {
    if (asked_ || c.wire->of(*e_) == link::readiness::ready) return false;
    asked_ = true;
    c.wire->prepare(e_);
    return true;
  }

 private:
  exchange_ptr e_ = std::make_shared<exchange>();
  bool asked_ = false;
};

struct text_answer {
  proof_rows rows;
  std::string failure;  // its SQLSTATE
};

/// Runs one query with parameters and results in text format, outside pipeline mode. Nothing: the
/// time was over, or the connection broke.
std::optional<text_answer> ask(connection& c, PGconn* conn, const std::string& sql,
                               const std::vector<std::string>& parameters, time_point until) {
  std::vector<const char*> values;
  for (const auto& p : parameters) values.push_back(p.c_str());
  if (PQsendQueryParams(conn, sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                        nullptr, nullptr, 0) != 1) {
    return std::nullopt;
  }
  text_answer out;
  for (;;) {
    const auto [why, lost, r] = next_result(conn, c.bell.get(), until);
    if (lost || why != wait_end::ready) return std::nullopt;
    if (!r) return out;
    if (PQresultStatus(r.get()) == PGRES_FATAL_ERROR) {
      const char* state = PQresultErrorField(r.get(), PG_DIAG_SQLSTATE);
      out.failure = state == nullptr ? "XX000" : state;
      continue;
    }
    for (int i = 0; i < PQntuples(r.get()); ++i) {
      auto& row = out.rows.emplace_back();
      for (int k = 0; k < PQnfields(r.get()); ++k) {
        PQgetisnull(r.get(), i, k) != 0 ? row.emplace_back(std::nullopt)
                                        : row.emplace_back(PQgetvalue(r.get(), i, k));
      }
    }
  }
}

/// `is_stale`: the statement may only have to be prepared anew.
bool run_proof(connection& c, PGconn* conn, lane_proof& proof, time_point until, bool& is_stale) {
  for (const auto text : detail::lane_proof_begin) {
    const auto begun = ask(c, conn, std::string(text), {}, until);
    if (!begun || !begun->failure.empty()) return false;
  }
  while (const auto question = proof.next()) {
    const auto answer = ask(c, conn, question->sql, question->parameters, until);
    if (!answer) return false;
    answer->failure.empty() ? proof.answer(answer->rows) : proof.failed(answer->failure);
    is_stale |= answer->failure == "0A000" || answer->failure == "26000";
  }
  return ask(c, conn, "rollback", {}, until).has_value();
}

}  // namespace

std::optional<detail::plan_verdict> prove(connection& c, const statement_entry_ptr& entry,
                                          time_point until) {
  const bool was_prepared = c.wire->name_of(*entry) != nullptr;
  preparation prepared(entry);
  if (converse(c, prepared, until) != wait_end::ready) return std::nullopt;
  const auto* described = entry->described();
  const auto* name = c.wire->name_of(*entry);
  if (described == nullptr || name == nullptr) return std::nullopt;
  lane_proof proof(entry->text, *name, described->parameters.size());
  bool finished = false, is_stale = false;
  {
    const link::outside_pipeline plain(*c.wire);
    finished = run_proof(c, plain.connection(), proof, until, is_stale);
  }
  if (!finished) {
    std::vector<exchange_ptr> none;
    c.wire->break_off("the proof of a statement was interrupted", none);
    return std::nullopt;
  }
  if (is_stale && was_prepared) {
    // Before a change of the schema, it seems.
    c.wire->forget(*entry);
    return prove(c, entry, until);
  }
  return proof.verdict();
}

}  // namespace scalekit::db::postgres

#pragma once

#include <string>

namespace scalekit::db::detail {

/// What lane_proof asks. Both answer with the columns (what, refusal, language, source), all text:
/// what it is about; why it unproves the statement, or null; what else has to be read for names,
/// and in which language: sql, plpgsql or types. Only pg_catalog is asked, as any user may.

/// $1: the name of the prepared statement. Its parameter types, and what runs without being
/// named: casts, input and output functions of types, support functions of operator classes.
std::string lane_unnamed_query();

/// $1 to $4, name[]: calls, words, types, operators. Every object they may mean.
std::string lane_names_query();

}  // namespace scalekit::db::detail

#pragma once

#include <sqlite3.h>

#include <memory>

namespace scalekit::db::sqlite {

struct close_database {
  // v2: never fails, even if a statement were still open.
  void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
};
struct finalize_statement {
  void operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }
};

using database_ptr = std::unique_ptr<sqlite3, close_database>;
using statement_ptr = std::unique_ptr<sqlite3_stmt, finalize_statement>;

}  // namespace scalekit::db::sqlite

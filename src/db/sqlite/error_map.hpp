#pragma once

#include "scalekit/core/error.hpp"

namespace scalekit::db::sqlite {

/// What an extended result code of SQLite means to a caller. `preparing`: it came from preparing
/// the statement, where a plain SQLITE_ERROR means that the SQL is wrong.
errc errc_of(int extended_code, bool preparing) noexcept;

/// True when the connection should be replaced: its view of the file may be wrong.
bool is_suspect(int extended_code) noexcept;

}  // namespace scalekit::db::sqlite

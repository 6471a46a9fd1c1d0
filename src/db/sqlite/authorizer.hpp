#pragma once

#include <optional>
#include <string>

namespace scalekit::db::sqlite {

/// Whether a statement of the host may do what SQLite's authorizer reports. Returns the reason
/// when not. `action` is one of SQLite's action codes; `first` and `second` are its details, null
/// where there are none.
///
/// sqlite3_stmt_readonly() alone would not do: it calls BEGIN and ATTACH read-only.
std::optional<std::string> why_denied(int action, const char* first, const char* second);

}  // namespace scalekit::db::sqlite

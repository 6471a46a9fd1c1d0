#pragma once

#include <string_view>

namespace scalekit::db::detail {

/// Whether a function of PostgreSQL or of an extension it ships with writes, locks, waits, draws
/// from a sequence, changes the session or differs by call. `name` is folded, unqualified.
///
/// A list of what is known by name, not of all that is volatile: that the catalogue knows.
bool is_effectful_builtin(std::string_view name) noexcept;

/// Whether what a function does lasts as long as the session. Of set_config() its arguments tell.
bool lasts_in_session(std::string_view name) noexcept;

/// Whether a function is dangerous although the catalogue does not call it volatile (looked
/// through in PostgreSQL 15): it assigns a transaction id, or runs SQL or checks of domains that
/// are named in a string.
bool hides_effects(std::string_view name) noexcept;

/// Whether a function makes rows of a type that need not be written out as one, so that any table
/// named in the statement may be it: json_populate_record(), xmltable(), ...
bool builds_rows(std::string_view name) noexcept;

/// Whether an unquoted word before '(' is never a function: a construct of the grammar, or a type
/// with a modifier. Folded.
bool is_construct(std::string_view word) noexcept;

}  // namespace scalekit::db::detail

#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/slow/lexer.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace scalekit::slow {

/// What statements that differ only in their values have in common.
struct normalized_statement {
  /// Equal for statements of the same shape; the same in every process and version of one minor
  /// release. Never 0.
  std::uint64_t fingerprint = 0;
  /// The statement without its values: safe to log. Printable, valid UTF-8.
  std::string text;
  /// Whether `text` was cut. The fingerprint covers what was cut off.
  bool truncated = false;
};

/// Bounds of normalize().
struct normalize_limits {
  /// Longest normalised text, in bytes. Default 2048. What is longer ends in "...".
  std::size_t max_text_bytes = 2048;
  /// Only so much of the statement is read, so that a statement of 100 MB costs what one of this
  /// size does. Default 1 MiB.
  std::size_t max_sql_bytes = std::size_t{1} << 20;
};

/// Takes the values out of a statement.
///
/// - Literals, parameters, NULL, TRUE and FALSE become `?` (not in IS NULL, NOT NULL, SET NULL); a
///   sign before a number goes with it.
/// - The elements of an IN list or ARRAY[] that look alike become one; `= any(...)` stays apart.
/// - Of a VALUES list the first row stays, so that an insert of 1 row and of 1,000 are one.
/// - Comments go, spaces become canonical, keywords lower case; names keep their case, unless
///   they are spelled like a keyword.
/// - What stands for a value although it is no literal goes too: the right side of SET (in ALTER
///   ROLE and the like as well) and PRAGMA statements, the file and KEY of ATTACH, PASSWORD
///   followed by a quoted name, names of savepoints.
/// - What is unterminated or malformed counts as a value. Where quotes do not match ('O'Brien'),
///   values cannot be told from names: everything from the first literal on is one value.
///
/// In SQLite a double-quoted word that names no column is a string; here it is a name and stays.
/// (scalekit's SQLite driver turns that misfeature off.)
///
/// Any bytes are accepted. Linear time; throws only std::bad_alloc. Pure: no state, any thread.
SCALEKIT_EXPORT normalized_statement normalize(std::string_view sql, dialect d,
                                               normalize_limits limits = {});

}  // namespace scalekit::slow

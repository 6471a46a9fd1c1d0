#pragma once

#include "support/wait_until.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace support::postgres {

/// Connects, runs `sql` (several statements if need be) and disconnects. The first value of the
/// last statement's first row; nothing when there is no row or the value is null. Throws
/// std::runtime_error with the server's message, and when it takes longer than `patience`.
std::optional<std::string> run_sql(const std::string& url, const std::string& sql,
                                   std::chrono::milliseconds patience = long_patience);

/// A literal or identifier of SQL, quoted.
std::string quoted_literal(const std::string& text);
std::string quoted_name(const std::string& text);

}  // namespace support::postgres

#pragma once

#include "scalekit/core/error.hpp"

#include <string_view>

namespace scalekit::db::postgres {

/// What an SQLSTATE means to a caller; backend_error for one that says nothing more.
///
/// 57014 is `execution_timeout`: the server's statement_timeout, or an administrator, had waited
/// long enough. Which of them is only in the server's words, and those are in its own language.
///
/// Left to the driver, which knows more than the code: 57014 may come of a cancel of its own, whose
/// reason it has; 25006 is `read_only`, though on a read it means `not_allowed`; 0A000 and 26000
/// may only mean that a cached plan must be made again. A refused login (28*) is not_allowed, not
/// unavailable: trying again would not help.
///
/// `message` is the server's primary message: a value that is larger than it can hold is XX000 as
/// any failure of its own, "invalid memory alloc request size", whatever language it speaks.
errc errc_of(std::string_view sqlstate, std::string_view message = {}) noexcept;

/// True when the server ends the connection with this error (57P01 to 57P05, 08*).
bool is_connection_fatal(std::string_view sqlstate) noexcept;

/// True when the same transaction may succeed if run again as a whole (40001, 40P01).
bool is_retryable_transaction(std::string_view sqlstate) noexcept;

/// True when the host is not the primary that it was taken for (25006).
bool is_wrong_role(std::string_view sqlstate) noexcept;

}  // namespace scalekit::db::postgres

#pragma once

#include "scalekit/core/export.hpp"

#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace scalekit {

/// What went wrong, for a program to decide on. Values are append-only.
enum class errc : int {
  // --- lifecycle ---
  /// The object was closed, or is closing and takes no new work.
  closed = 1,
  /// A handle made before fork() was used in the child.
  forked,
  /// The caller cancelled the operation.
  cancelled,

  // --- waiting; three different reasons on purpose ---
  /// The deadline passed while waiting for a local resource (a connection, the writer, a slot).
  acquire_timeout,
  /// The deadline passed while the backend was working.
  execution_timeout,
  /// Turned away at once because a bounded queue was full.
  shed,
  /// A circuit breaker is open: the dependency has been failing and is left alone for a while.
  breaker_open,

  // --- the call was wrong ---
  /// An argument is outside its legal range, or malformed.
  invalid_argument,
  /// The statement is not valid SQL, or names what does not exist.
  invalid_statement,
  /// The number or type of the bound parameters does not fit the statement.
  parameter_mismatch,
  /// A result's columns do not match the type they are read into.
  column_mismatch,
  /// A value does not fit the type it is read into or stored as.
  value_out_of_range,
  /// A value or a result is larger than its configured limit.
  too_large,
  /// Exactly one row was asked for and there was none.
  not_found,
  /// The operation is not allowed here (a write on a read, BEGIN in a transaction, ATTACH).
  not_allowed,
  /// This backend does not offer the operation.
  not_supported,

  // --- the backend refused ---
  /// A unique, foreign key, check or not-null constraint refused the change.
  constraint_violation,
  /// Lost against a concurrent transaction (deadlock, serialization, lock held elsewhere).
  conflict,
  /// The backend is read-only.
  read_only,
  /// No space left for the backend to write.
  disk_full,
  /// Stored data is damaged.
  corrupt,
  /// The backend could not be opened or reached.
  unavailable,
  /// The connection was lost; see outcome_unknown() for what that means for a write.
  connection_lost,
  /// Reading or writing a file or socket failed.
  io_error,
  /// The backend reported something no other value describes.
  backend_error,

  // --- outcomes ---
  /// Whether the change was committed cannot be known. Never retried by scalekit.
  commit_in_doubt,
  /// The lease of a job attempt is no longer held: another worker may own the job.
  lease_lost,
  /// A write that was acknowledged is gone: the server that had it was replaced by one without.
  write_lost,
};

/// The category of scalekit::errc; its name is "scalekit".
SCALEKIT_EXPORT const boost::system::error_category& error_category() noexcept;

inline boost::system::error_code make_error_code(errc e) noexcept {
  return {static_cast<int>(e), error_category()};
}

/// What a person needs to know about a failure, beside its code. Cheap to copy.
///
/// Never holds bind values, payloads or passwords.
struct diagnostics {
  /// Written by scalekit: what failed, where, the limits and counts. Plain ASCII unless it quotes
  /// a name that the caller chose.
  std::string client_message;
  /// Written by the backend. UNTRUSTED: may contain what a user typed.
  std::string server_message;
  /// The backend's own code: SQLSTATE, or SQLite's extended result code as a number; else empty.
  std::string backend_code;
  /// Host, file or socket that reported it; empty where there is none.
  std::string origin;
};

/// The one exception type of scalekit.
///
/// `code()` is for the program, `diag()` and `what()` for the person. Copying never throws.
class SCALEKIT_EXPORT error : public boost::system::system_error {
 public:
  /// No error: what result<T>::error() gives for a value.
  error();

  error(boost::system::error_code code, diagnostics diag);

  /// Shorthand for a failure that only scalekit speaks about.
  error(errc code, std::string client_message);

  const diagnostics& diag() const noexcept { return *diag_; }

 private:
  std::shared_ptr<const diagnostics> diag_;
};

/// True when the same call may succeed if made again, unchanged, after a pause.
///
/// Holds for conflicts, timeouts, shedding, an open breaker and lost or refused connections; never
/// for an unknown outcome.
SCALEKIT_EXPORT bool is_transient(const boost::system::error_code& code) noexcept;

/// True when the connection that reported it can no longer be used.
SCALEKIT_EXPORT bool is_fatal(const boost::system::error_code& code) noexcept;

/// True when a change may or may not have happened. Retry only what is idempotent.
SCALEKIT_EXPORT bool outcome_unknown(const boost::system::error_code& code) noexcept;

/// True for every way of running out of time: acquire_timeout and execution_timeout.
SCALEKIT_EXPORT bool is_timeout(const boost::system::error_code& code) noexcept;

inline bool is_transient(const error& e) noexcept {
  return is_transient(e.code());
}
inline bool is_fatal(const error& e) noexcept {
  return is_fatal(e.code());
}
inline bool outcome_unknown(const error& e) noexcept {
  return outcome_unknown(e.code());
}
inline bool is_timeout(const error& e) noexcept {
  return is_timeout(e.code());
}

/// The scalekit::error inside `e`; any other exception is wrapped as errc::backend_error with its
/// what() as server message. Precondition: `e` is not null.
SCALEKIT_EXPORT error to_error(const std::exception_ptr& e);

}  // namespace scalekit

template <>
struct boost::system::is_error_code_enum<scalekit::errc> : std::true_type {};

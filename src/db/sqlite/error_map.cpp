#include "db/sqlite/error_map.hpp"

#include <sqlite3.h>

namespace scalekit::db::sqlite {

errc errc_of(int extended_code, bool preparing) noexcept {
  switch (extended_code & 0xff) {
    case SQLITE_ERROR:
      return preparing ? errc::invalid_statement : errc::backend_error;
    case SQLITE_CONSTRAINT:
      return errc::constraint_violation;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_SCHEMA:
      return errc::conflict;
    case SQLITE_FULL:
      return errc::disk_full;
    case SQLITE_READONLY:
      return errc::read_only;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return errc::corrupt;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return errc::unavailable;
    case SQLITE_IOERR:
      return errc::io_error;
    case SQLITE_TOOBIG:
      return errc::too_large;
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
      return errc::parameter_mismatch;
    case SQLITE_AUTH:
      return errc::not_allowed;
    case SQLITE_INTERRUPT:
      return errc::cancelled;
    default:
      return errc::backend_error;
  }
}

bool is_suspect(int extended_code) noexcept {
  switch (extended_code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
      return true;
    default:
      return false;
  }
}

}  // namespace scalekit::db::sqlite

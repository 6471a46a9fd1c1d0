#pragma once

#include <libpq-fe.h>

#include <array>
#include <memory>

// What cancels the statement that runs on a connection. It needs nothing of that once it is made.
// Sending it blocks until the server has taken note of it; false: it could not be told.

namespace scalekit::db::postgres {

#ifdef LIBPQ_HAS_ASYNC_CANCEL

/// Since libpq 17: goes by TLS where the connection does.
struct cancel_deleter {
  void operator()(PGcancelConn* c) const noexcept { PQcancelFinish(c); }
};
using cancel_ptr = std::unique_ptr<PGcancelConn, cancel_deleter>;

inline cancel_ptr cancel_of(PGconn* conn) noexcept {
  return cancel_ptr(PQcancelCreate(conn));
}

inline bool send(const cancel_ptr& c) noexcept {
  return PQcancelBlocking(c.get()) == 1;
}

#else

/// Goes in clear text, however the connection does.
struct cancel_deleter {
  void operator()(PGcancel* c) const noexcept { PQfreeCancel(c); }
};
using cancel_ptr = std::unique_ptr<PGcancel, cancel_deleter>;

inline cancel_ptr cancel_of(PGconn* conn) noexcept {
  return cancel_ptr(PQgetCancel(conn));
}

inline bool send(const cancel_ptr& c) noexcept {
  std::array<char, 256> why{};
  return PQcancel(c.get(), why.data(), static_cast<int>(why.size())) == 1;
}

#endif

}  // namespace scalekit::db::postgres

#pragma once

#include <libpq-fe.h>

#include <memory>

namespace scalekit::db::postgres {

struct pq_deleter {
  void operator()(PGconn* c) const noexcept { PQfinish(c); }
  void operator()(PGresult* r) const noexcept { PQclear(r); }
  void operator()(PGcancel* c) const noexcept { PQfreeCancel(c); }
};

using connection_ptr = std::unique_ptr<PGconn, pq_deleter>;
using result_ptr = std::unique_ptr<PGresult, pq_deleter>;
using cancel_ptr = std::unique_ptr<PGcancel, pq_deleter>;

/// An error that libpq made up itself: the connection is gone, or of no use any more. What the
/// server has done is not known.
inline bool is_of_libpq(const PGresult* r) noexcept {
  return PQresultStatus(r) == PGRES_FATAL_ERROR &&
         PQresultErrorField(r, PG_DIAG_SQLSTATE) == nullptr;
}

}  // namespace scalekit::db::postgres

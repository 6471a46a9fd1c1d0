#pragma once

#include "db/postgres/connection.hpp"

#include <boost/endian/conversion.hpp>

#include <cstdint>
#include <memory>

namespace scalekit::db::postgres {

/// Answers the id of the transaction that is open, or null when it has not written yet.
inline constexpr const char* xid_text = "select pg_current_xact_id_if_assigned()";

/// Sends a statement of our own, as a group of its own. `text` must outlive it; where it comes
/// `often`, the connection.
inline exchange_ptr send_own(connection& c, const char* text, bool often = false) {
  auto e = std::make_shared<exchange>();
  e->text = text;
  e->often = often;
  c.wire->send(e);
  c.wire->sync();
  return e;
}

/// The first value of its only row, a number of eight bytes; 0 where there is none.
inline std::uint64_t number_of(const exchange& e) {
  const auto* r = e.result.get();
  if (PQntuples(r) != 1 || PQgetisnull(r, 0, 0) != 0 || PQgetlength(r, 0, 0) != 8) return 0;
  return boost::endian::load_big_u64(reinterpret_cast<const unsigned char*>(PQgetvalue(r, 0, 0)));
}

}  // namespace scalekit::db::postgres

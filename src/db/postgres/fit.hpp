#pragma once

#include "db/postgres/connection.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/error.hpp"

#include <cstdint>
#include <source_location>

namespace scalekit::db::postgres {

/// What a read was sent to a host for. That holds on connections made before `as_of`: what one
/// made later leads to may have restarted, behind where it was, or be another server.
struct expectation {
  /// When the host was asked what it was chosen for.
  time_point as_of = time_point::max();
  /// It was chosen as the primary; else for its position.
  bool primary = false;
};

/// Why a read is not to be made on a connection.
enum class misfit : std::uint8_t { none, too_new, standby };

inline misfit misfit_of(const expectation& of, const connection& c) noexcept {
  if (c.made_at <= of.as_of) return misfit::none;
  if (!of.primary) return misfit::too_new;
  // Before PostgreSQL 14 it does not say.
  return c.is_standby() == true ? misfit::standby : misfit::none;
}

/// Thrown where a read was sent to a host in vain: another is to be looked for at once, as long as
/// there is time. No failure of anything, and not counted as one.
struct misrouted {
  /// For a caller whose time is over. Of code unavailable.
  error why;
};

misrouted misrouted_by(misfit what, const connection& c, const std::source_location& site);

}  // namespace scalekit::db::postgres

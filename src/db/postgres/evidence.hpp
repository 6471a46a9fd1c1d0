#pragma once

#include "db/postgres/dial.hpp"
#include "db/topology/host_sample.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db/detail/backend.hpp"

#include <optional>
#include <string>

// What a failure says about the host that it came from. Nothing where the trouble is the caller's
// or our own: a pool without a free connection, a deadline, a wrong password, too many clients.

namespace scalekit::db::postgres {

/// Of a call that had a connection, or of the monitor's question.
std::optional<detail::host_error> evidence_of(const error& e, detail::access kind);

/// Of an attempt to connect.
std::optional<detail::host_error> evidence_of(const dialed& attempt);

/// The part of an error that explains a host's state: the server's words where there are any.
std::string reason_of(const error& e);

}  // namespace scalekit::db::postgres

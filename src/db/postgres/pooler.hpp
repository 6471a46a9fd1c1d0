#pragma once

#include "db/postgres/dial.hpp"
#include "scalekit/core/clock.hpp"

#include <optional>
#include <stop_token>

namespace scalekit::db::postgres {

/// Whether a pooler stands between us and the server: the login is then its own, and names another
/// process than the one that answers. In which mode it is nothing tells.
///
/// Blocks for one round trip, on a connection outside pipeline mode. Nothing: there was no answer,
/// and `made` is an attempt that failed.
std::optional<bool> ask_for_pooler(dialed& made, time_point until, const std::stop_token& stop);

}  // namespace scalekit::db::postgres

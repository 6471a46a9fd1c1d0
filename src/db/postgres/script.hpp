#pragma once

#include "db/postgres/drive.hpp"

#include <source_location>
#include <string_view>

namespace scalekit::db::postgres {

/// Runs several statements, which may be separated by semicolons, in the transaction that is open
/// on `c`. Throws for the first that fails. Interrupted, it leaves the connection broken.
wait_end run_script(connection& c, std::string_view script, const std::source_location& site,
                    time_point until);

}  // namespace scalekit::db::postgres

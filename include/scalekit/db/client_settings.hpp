#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/core/settings.hpp"
#include "scalekit/db/client_params.hpp"

namespace scalekit::db {

/// The settings of a client by name, for URLs, settings files and the reference. Those of
/// sqlite_params stand beside those of client_params.
SCALEKIT_EXPORT const settings_schema<client_params>& client_settings();

}  // namespace scalekit::db

#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/core/settings.hpp"
#include "scalekit/redis/client_params.hpp"

namespace scalekit::redis {

/// The settings of a client by name, for URLs, settings files and the reference.
SCALEKIT_EXPORT const settings_schema<client_params>& client_settings();

}  // namespace scalekit::redis

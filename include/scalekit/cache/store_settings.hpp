#pragma once

#include "scalekit/cache/store_params.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/core/settings.hpp"

namespace scalekit::cache {

/// The settings of a store by name, for URLs, settings files and the reference: those of the tiers
/// begin with "memory." and "file.". The executors, the clock, the log and the seed are the host's.
SCALEKIT_EXPORT const settings_schema<store_params>& store_settings();

}  // namespace scalekit::cache

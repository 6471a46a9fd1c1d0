#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/core/settings.hpp"
#include "scalekit/slow/tracker.hpp"

namespace scalekit::slow {

/// The settings of a tracker by name, for URLs, settings files and the reference. The log and the
/// clock are the host's.
SCALEKIT_EXPORT const settings_schema<tracker_params>& tracker_settings();

}  // namespace scalekit::slow

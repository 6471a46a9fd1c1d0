#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/core/settings.hpp"
#include "scalekit/queue/queue_params.hpp"
#include "scalekit/queue/worker_params.hpp"

// The settings of queues and workers by name, for URLs, settings files and the reference. Clocks,
// logs, seeds and the queues that a worker serves are the host's.

namespace scalekit::queue {

SCALEKIT_EXPORT const settings_schema<queue_params>& queue_settings();
SCALEKIT_EXPORT const settings_schema<worker_params>& worker_settings();

}  // namespace scalekit::queue

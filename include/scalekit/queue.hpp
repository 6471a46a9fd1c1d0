#pragma once

// Durable jobs: see docs/queue.md.

#include "scalekit/queue/attempt.hpp"
#include "scalekit/queue/dead_letter.hpp"
#include "scalekit/queue/enqueue_options.hpp"
#include "scalekit/queue/job_id.hpp"
#include "scalekit/queue/job_priority.hpp"
#include "scalekit/queue/job_request.hpp"
#include "scalekit/queue/job_status.hpp"
#include "scalekit/queue/kind_params.hpp"
#include "scalekit/queue/lease.hpp"
#include "scalekit/queue/outcome.hpp"
#include "scalekit/queue/queue.hpp"
#include "scalekit/queue/queue_params.hpp"
#include "scalekit/queue/queue_settings.hpp"
#include "scalekit/queue/queue_stats.hpp"
#include "scalekit/queue/stop_report.hpp"
#include "scalekit/queue/worker.hpp"
#include "scalekit/queue/worker_params.hpp"
#include "scalekit/queue/worker_stats.hpp"

#pragma once

/// The room ops: what runs and watches a service from outside. At present the load generator.

#include "scalekit/ops/arrival_schedule.hpp"
#include "scalekit/ops/load_generator.hpp"
#include "scalekit/ops/load_report.hpp"
#include "scalekit/ops/load_request.hpp"
#include "scalekit/ops/load_threshold.hpp"
#include "scalekit/ops/zipf.hpp"

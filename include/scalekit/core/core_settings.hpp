#pragma once

#include "scalekit/core/backoff.hpp"
#include "scalekit/core/circuit_breaker.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/core/runtime.hpp"
#include "scalekit/core/settings.hpp"
#include "scalekit/core/work_pool.hpp"

// The settings of core's own structs, to be nested into those of the rooms:
//
//     .nested("retry", &worker_params::retry, backoff_settings())

namespace scalekit {

SCALEKIT_EXPORT const settings_schema<backoff_params>& backoff_settings();
SCALEKIT_EXPORT const settings_schema<circuit_breaker_params>& circuit_breaker_settings();
SCALEKIT_EXPORT const settings_schema<work_pool_params>& work_pool_settings();
SCALEKIT_EXPORT const settings_schema<runtime_params>& runtime_settings();

}  // namespace scalekit

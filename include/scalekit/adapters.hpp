#pragma once

// What joins scalekit to other libraries, and one room to another.

#include "scalekit/adapters/cached.hpp"
#include "scalekit/adapters/change_triggers.hpp"
#include "scalekit/adapters/log_line.hpp"
#include "scalekit/adapters/result_cache.hpp"
#include "scalekit/adapters/result_cache_params.hpp"
#include "scalekit/adapters/result_cache_statistics.hpp"
#include "scalekit/adapters/spdlog_sink.hpp"

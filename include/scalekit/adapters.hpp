#pragma once

// What joins scalekit to other libraries, and one room to another.

#include "scalekit/adapters/log_line.hpp"
#include "scalekit/adapters/spdlog_sink.hpp"

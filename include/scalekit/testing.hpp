#pragma once

// For tests of code that uses scalekit: see docs/testing.md.

#include "scalekit/testing/database.hpp"
#include "scalekit/testing/fault.hpp"
#include "scalekit/testing/injected_fault.hpp"
#include "scalekit/testing/logged_call.hpp"
#include "scalekit/testing/manual_clock.hpp"

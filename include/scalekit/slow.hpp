#pragma once

// The slow room: a SQL lexer, statement fingerprints, and the tracker of slow statements.

#include "scalekit/slow/fingerprint.hpp"
#include "scalekit/slow/lexer.hpp"
#include "scalekit/slow/report.hpp"
#include "scalekit/slow/statements.hpp"
#include "scalekit/slow/tracker.hpp"
#include "scalekit/slow/tracker_settings.hpp"

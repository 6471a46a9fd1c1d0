#pragma once

/// The room limit: who may do how much in which time. See docs/limit.md.

#include "scalekit/limit/client_address.hpp"
#include "scalekit/limit/decision.hpp"
#include "scalekit/limit/identity.hpp"
#include "scalekit/limit/ip_address.hpp"
#include "scalekit/limit/limiter.hpp"
#include "scalekit/limit/rule.hpp"
#include "scalekit/limit/rule_settings.hpp"

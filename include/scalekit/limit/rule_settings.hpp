#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/core/settings.hpp"
#include "scalekit/limit/rule.hpp"

namespace scalekit::limit {

/// The figures of one rule by name, for URLs, settings files and the reference. What the rule is
/// called and what it counts are the host's. Figures that are legal each for itself and not
/// together (a cost above the burst) are refused by the limiter's constructor.
SCALEKIT_EXPORT const settings_schema<rule>& rule_settings();

}  // namespace scalekit::limit

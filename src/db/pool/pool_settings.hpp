#pragma once

#include "scalekit/core/settings.hpp"
#include "scalekit/db/pool_params.hpp"

namespace scalekit::db::detail {

/// Each field of pool_params by its own name, with its range. validate(pool_params) also checks
/// what two fields promise together.
const settings_schema<pool_params>& pool_settings();

}  // namespace scalekit::db::detail

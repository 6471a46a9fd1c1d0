#pragma once

#include "scalekit/cache/options.hpp"
#include "scalekit/cache/policy.hpp"
#include "scalekit/cache/store_params.hpp"

#include <string_view>

namespace scalekit::cache::detail {

/// Throws std::invalid_argument, naming the field.
void validate(const store_params& params);

/// These throw errc::invalid_argument, naming the field.
void validate(const policy& how);
void validate(const call_options& options);
void validate_key(std::string_view key);

}  // namespace scalekit::cache::detail

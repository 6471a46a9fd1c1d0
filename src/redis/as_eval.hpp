#pragma once

#include "scalekit/redis/detail/request.hpp"

namespace scalekit::redis::detail {

/// Makes of an EVALSHA that the server knows no script for the EVAL of its text.
void make_eval(request& r);

}  // namespace scalekit::redis::detail

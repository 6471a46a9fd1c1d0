#pragma once

#include "scalekit/redis/detail/request.hpp"

namespace scalekit::redis::detail {

/// Puts ASKING before a request, in the same write, so that nothing of others comes between; or
/// takes it away again. A script goes as its text then: nothing is asked twice.
void set_asking(request& r, bool asks);

}  // namespace scalekit::redis::detail

#include "scalekit/cache/warm_up.hpp"

#include "core/require.hpp"

namespace scalekit::cache {

void validate(const warm_up_params& params) {
  using scalekit::detail::require_range;
  require_range("warm_up_params.batch", params.batch, std::size_t{1}, std::size_t{10'000});
  require_range("warm_up_params.per_second", params.per_second, 0.01, 1e9);
}

}  // namespace scalekit::cache

#include "scalekit/cache/warm_up.hpp"

#include "core/require.hpp"
#include "scalekit/core/error.hpp"

namespace scalekit::cache::detail {

void validate(const warm_up_params& params) {
  using scalekit::detail::require_range;
  require_range("warm_up_params.batch", params.batch, std::size_t{1}, std::size_t{10'000});
  require_range("warm_up_params.per_second", params.per_second, 0.01, 1e9);
}

bool ends_warm_up(const std::exception_ptr& e) noexcept {
  const auto code = to_error(e).code();
  return code == errc::closed || code == errc::invalid_argument || code == errc::not_allowed ||
         code == errc::forked;
}

}  // namespace scalekit::cache::detail

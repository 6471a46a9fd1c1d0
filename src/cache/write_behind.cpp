#include "scalekit/cache/write_behind.hpp"

#include "cache/validate.hpp"
#include "core/require.hpp"

namespace scalekit::cache {

void validate(const write_behind_params& params, const policy& how) {
  using namespace std::chrono_literals;
  using scalekit::detail::require_range;
  require_range("write_behind_params.max_delay", params.max_delay, 1ms, 1h);
  require_range("write_behind_params.max_pending", params.max_pending, std::size_t{1},
                std::size_t{10'000'000});
  require_range("write_behind_params.batch", params.batch, std::size_t{1}, std::size_t{100'000});
  require_range("write_behind_params.close_timeout", params.close_timeout, 0ms, 1h);
  detail::validate(how);
  scalekit::validate(params.retry, "write_behind_params.retry");
}

}  // namespace scalekit::cache

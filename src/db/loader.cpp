#include "scalekit/db/loader.hpp"

#include "core/require.hpp"

namespace scalekit::db::detail {

void validate(const loader_params& params) {
  using scalekit::detail::require_range;
  require_range("loader_params.max_keys", params.max_keys, 1, 10'000);
  require_range("loader_params.max_reads", params.max_reads, 1, 100);
}

void throw_load_timeout() {
  throw error(errc::execution_timeout,
              "db::loader: the statement with the key was not done within its timeout");
}

std::exception_ptr load_cancelled() {
  return std::make_exception_ptr(error(errc::cancelled, "db::loader: the load was cancelled"));
}

std::exception_ptr several_rows_of_a_key() {
  return std::make_exception_ptr(
      error(errc::too_large, "db::loader: the statement returned several rows of one key"));
}

}  // namespace scalekit::db::detail

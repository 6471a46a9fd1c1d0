#include "scalekit/db/loader.hpp"

#include <stdexcept>
#include <string>

namespace scalekit::db::detail {

void validate(const loader_params& params) {
  if (params.max_keys < 1 || params.max_keys > 10'000) {
    throw std::invalid_argument("loader_params.max_keys is " + std::to_string(params.max_keys) +
                                "; its range is 1 to 10000");
  }
  if (params.max_reads < 1 || params.max_reads > 100) {
    throw std::invalid_argument("loader_params.max_reads is " + std::to_string(params.max_reads) +
                                "; its range is 1 to 100");
  }
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

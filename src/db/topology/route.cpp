#include "db/topology/route.hpp"

#include <utility>

namespace scalekit::db::detail {

bool may_pass(refusal why) noexcept {
  return why != refusal::foreign_token && why != refusal::token_lost;
}

error refusal_error(refusal why, std::string explanation) {
  switch (why) {
    case refusal::foreign_token:
      return {errc::invalid_argument, std::move(explanation)};
    case refusal::token_lost:
      return {errc::write_lost, std::move(explanation)};
    default:
      return {errc::unavailable, std::move(explanation)};
  }
}

}  // namespace scalekit::db::detail

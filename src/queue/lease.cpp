#include "scalekit/queue/lease.hpp"

namespace scalekit::queue {

std::string to_string(const lease& l) {
  return std::to_string(l.job) + "-" + std::to_string(l.sequence) + "-" + std::to_string(l.nonce);
}

}  // namespace scalekit::queue

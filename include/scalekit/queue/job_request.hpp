#pragma once

#include "scalekit/queue/enqueue_options.hpp"

#include <string>

namespace scalekit::queue {

/// One job of queue::enqueue_many.
struct job_request {
  /// What kind of work it is: chooses the handler. 1 to 128 bytes, no control characters.
  std::string kind = {};

  /// Any bytes; handed to the handler as they are. At most queue_params::max_payload_bytes.
  std::string payload = {};

  enqueue_options options = {};
};

}  // namespace scalekit::queue

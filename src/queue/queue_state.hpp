#pragma once

#include "queue/engine.hpp"
#include "queue/priority_key.hpp"
#include "queue/wake_hub.hpp"
#include "scalekit/core/execution.hpp"
#include "scalekit/queue/queue_params.hpp"

#include <memory>

namespace scalekit::queue::detail {

/// What all handles of a queue share.
struct queue_state {
  queue_params params;
  std::shared_ptr<engine> store;
  execution exec;
  wake_hub hub = {};

  priority_rules rules() const noexcept {
    return {
        .high_lead = params.high_lead, .low_lag = params.low_lag, .strict = params.strict_priority};
  }
};

}  // namespace scalekit::queue::detail

#pragma once

#include "scalekit/queue/retry_params.hpp"

#include <chrono>
#include <optional>

namespace scalekit::queue {

/// What a worker does differently for one kind of job; what is not given is taken from
/// worker_params.
struct kind_params {
  std::optional<retry_params> retry = {};

  /// See worker_params::attempt_timeout.
  std::optional<std::chrono::milliseconds> attempt_timeout = {};
};

}  // namespace scalekit::queue

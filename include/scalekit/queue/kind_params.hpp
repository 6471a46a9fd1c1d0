#pragma once

#include "scalekit/core/backoff.hpp"

#include <chrono>
#include <optional>

namespace scalekit::queue {

/// What a worker does differently for one kind of job; what is not given is taken from
/// worker_params.
struct kind_params {
  /// See worker_params::retry.
  std::optional<backoff_params> retry = {};

  /// See worker_params::attempt_timeout.
  std::optional<std::chrono::milliseconds> attempt_timeout = {};
};

}  // namespace scalekit::queue

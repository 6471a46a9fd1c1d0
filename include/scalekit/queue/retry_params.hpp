#pragma once

#include <chrono>

namespace scalekit::queue {

/// When a job whose attempt ended in an error is tried again: after a time drawn evenly from 0 to
/// min(cap, base * 2^(errors - 1)).
///
/// Full jitter, because jobs that failed together (a server was away) must not come back together.
struct retry_params {
  /// Upper bound of the first pause. Default 60 s. Range 0 to 24 h; 0 retries at once.
  std::chrono::milliseconds base = std::chrono::seconds{60};

  /// Upper bound of every pause. Default 1 h. Range `base` to 30 days.
  std::chrono::milliseconds cap = std::chrono::hours{1};
};

}  // namespace scalekit::queue

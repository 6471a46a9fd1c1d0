#pragma once

#include "queue/job_board.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

namespace scalekit::queue::detail {

/// The threads that call handlers. They own a share of the board, and nothing else: one whose
/// handler never ends can be left to itself.
class handler_crew {
 public:
  void start(const std::shared_ptr<job_board>& board, std::size_t threads);

  /// Precondition: the board lets the crew end. Waits for all threads; `some_abandoned`: only for
  /// those that are not in a handler, and lets the others go.
  void dismiss(bool some_abandoned);

 private:
  struct member {
    std::thread thread;
    std::shared_ptr<std::atomic<bool>> in_handler;
  };

  std::vector<member> members_;
};

/// Calls the handler, and says what its end means. Never throws.
disposition run_handler(job_board& board, running_attempt& run) noexcept;

}  // namespace scalekit::queue::detail

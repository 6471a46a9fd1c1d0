#pragma once

#include "db/postgres/pq_cancel.hpp"

#include <atomic>
#include <cstddef>
#include <future>
#include <memory>

namespace scalekit::db::postgres {

/// Ready once a cancel is no longer on its way. True: the server has taken note of it.
using cancel_ticket = std::shared_future<bool>;

/// Sends cancel requests. libpq's own way blocks and knows no deadline: where the server or the
/// network stands still it may take hours. So each has a thread of its own, for which nobody has to
/// wait: it owns all that it uses, and outlives the sender if need be.
///
/// Thread safety: send() may be called from any thread.
class cancel_sender {
 public:
  /// Never waits. The ticket is false at once for a null `request`, and where too many are on their
  /// way already.
  cancel_ticket send(cancel_ptr request);

 private:
  static constexpr std::size_t most_at_once = 16;

  std::shared_ptr<std::atomic<std::size_t>> under_way_ =
      std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace scalekit::db::postgres

#pragma once

#include "redis/blocking_line.hpp"
#include "redis/site.hpp"
#include "redis/slot_map.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/result.hpp"

namespace scalekit::redis::detail {

/// Asks one node who has which slot, on a connection of its own and on the calling thread: the
/// answer depends on no event loop, and on no call before it.
///
/// Thread safety: one thread at a time; interrupt() from any thread.
class map_question {
 public:
  explicit map_question(target to);

  result<slot_map> ask(time_point until);
  void interrupt() noexcept { line_.interrupt(); }

 private:
  error failed() const;

  site site_;
  blocking_line line_;
};

}  // namespace scalekit::redis::detail

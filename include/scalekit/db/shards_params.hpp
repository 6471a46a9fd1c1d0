#pragma once

#include <chrono>
#include <string>

namespace scalekit::db {

/// Settings of shards whose map is stored in a database, for several processes to share. A value
/// out of range throws std::invalid_argument, naming it.
struct shards_params {
  /// Which map, of those stored there. Default "main".
  std::string name = "main";

  /// How old a map may be before a call has it looked up again, without waiting for that. So long,
  /// at most, are reads by an old map late in seeing what was written after a switch. Default 1 s.
  /// Range 1 ms to a third of the lease.
  std::chrono::nanoseconds refresh = std::chrono::seconds{1};

  /// How old a map may be before it is not used any more: while the database with the map is away
  /// for longer, calls fail with errc::unavailable. A move waits for so long twice. Longer than
  /// your longest reads; the same in every process, which is checked. Default 30 s. Range 3 ms to
  /// 1 h.
  std::chrono::nanoseconds lease = std::chrono::seconds{30};

  /// How long a blocking write waits for the end of a switch, within its timeout if it has one.
  /// Default 5 s. Range 0 to 1 h.
  std::chrono::nanoseconds switch_wait = std::chrono::seconds{5};
};

}  // namespace scalekit::db

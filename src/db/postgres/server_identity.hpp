#pragma once

#include <cstdint>

namespace scalekit::db::postgres {

/// Which history of which database a session writes to. Constant while the session may write: a
/// primary does not change its timeline without a restart.
struct server_identity {
  std::uint64_t system = 0;
  std::uint32_t timeline = 0;
  /// Changes with every crash, in which the server forgets which ids of transactions it has given:
  /// when its statistics were last discarded, in microseconds. Resetting them by hand looks the
  /// same; 0 is not known.
  std::uint64_t crash_mark = 0;

  bool is_known() const noexcept { return timeline != 0; }
  bool is_same_history(const server_identity& other) const noexcept {
    return is_known() && system == other.system && timeline == other.timeline;
  }
  bool has_crashed_since(const server_identity& before) const noexcept {
    return crash_mark == 0 || crash_mark != before.crash_mark;
  }
};

}  // namespace scalekit::db::postgres

#pragma once

#include <cstdint>

namespace scalekit::db::postgres {

/// Which history of which database a session writes to. Constant while the session may write: a
/// primary does not change its timeline without a restart.
struct server_identity {
  std::uint64_t system = 0;
  std::uint32_t timeline = 0;

  bool is_known() const noexcept { return timeline != 0; }
  friend bool operator==(const server_identity&, const server_identity&) = default;
};

}  // namespace scalekit::db::postgres

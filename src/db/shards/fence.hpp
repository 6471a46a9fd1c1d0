#pragma once

#include "scalekit/core/error.hpp"

#include <string_view>

namespace scalekit::db::detail {

// How the trigger that guards keys which are moving, or have moved, refuses a write. PostgreSQL has
// a SQLSTATE of its own for it; SQLite has only the text.
inline constexpr std::string_view fence_sqlstate = "SK001";
inline constexpr std::string_view fence_text = "scalekit: these keys are on another shard";

inline bool is_fence(const error& e) noexcept {
  const auto& diag = e.diag();
  if (diag.backend_code == fence_sqlstate) return true;
  // SQLITE_CONSTRAINT_TRIGGER.
  return diag.backend_code == "1811" && diag.server_message.find(fence_text) != std::string::npos;
}

}  // namespace scalekit::db::detail

#pragma once

#include "scalekit/core/error.hpp"

#include <string>
#include <utility>

namespace scalekit::testing::detail {

inline constexpr const char* error_origin = "scalekit::testing";

inline error injected_error(errc code, std::string message) {
  return {code, diagnostics{std::move(message), {}, {}, error_origin}};
}

inline bool is_injected(const error& e) noexcept {
  return e.diag().origin == error_origin;
}

}  // namespace scalekit::testing::detail

#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace scalekit::cache::detail {

/// For maps with texts as keys that are searched by views.
struct text_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};

}  // namespace scalekit::cache::detail

#pragma once

#include <cstdint>

namespace scalekit::detail {

inline constexpr std::uint64_t kib = 1024, mib = kib * kib, gib = kib * mib, tib = kib * gib;

}  // namespace scalekit::detail

#pragma once

#include <chrono>
#include <source_location>
#include <string>
#include <string_view>

namespace scalekit::db::detail {

/// "order.cpp:42": the last part of the path is enough for a person, and tells nobody how the
/// build machine is laid out.
inline std::string describe(const std::source_location& site) {
  std::string_view file = site.file_name();
  if (auto slash = file.rfind('/'); slash != std::string_view::npos) file.remove_prefix(slash + 1);
  return std::string(file) + ":" + std::to_string(site.line());
}

inline std::string in_ms(std::chrono::nanoseconds d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
}

}  // namespace scalekit::db::detail

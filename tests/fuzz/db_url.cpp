#include "db/sqlite/settings.hpp"

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

// The URL of a database: any bytes give settings within their ranges, or std::invalid_argument.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view url(reinterpret_cast<const char*>(data), size);
  try {
    auto s = scalekit::db::sqlite::settings_from_url(url, {});
    if (s.path.empty() || s.path.find('\0') != std::string::npos) __builtin_trap();
    if (s.params.sqlite.readers < 1 || s.params.sqlite.readers > 64) __builtin_trap();
  } catch (const std::invalid_argument&) {
  }
  return 0;
}

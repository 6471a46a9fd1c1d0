// Any text as settings file, query, duration and size: std::invalid_argument or settings in range.

#include "scalekit/core/core_settings.hpp"

#include "scalekit/core/settings_file.hpp"

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

using namespace scalekit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  circuit_breaker_params params;
  settings_origins origins;

  try {
    auto file = settings_file::parse(input, "file");
    file.apply("breaker", circuit_breaker_settings(), params, origins);
    file.require_all_used();
  } catch (const std::invalid_argument&) {
  }
  try {
    circuit_breaker_settings().set_from_query(params, input, "url", origins);
  } catch (const std::invalid_argument&) {
  }
  circuit_breaker_settings().validate(params);

  const auto duration = parse_duration(input);
  if (duration && parse_duration(format_duration(*duration)) != duration) std::abort();
  const auto bytes = parse_size(input);
  if (bytes && parse_size(format_size(*bytes)) != bytes) std::abort();
  return 0;
}

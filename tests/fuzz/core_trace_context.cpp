// Any two headers, cut at a line break: a typed error, or a context that survives a round trip.

#include "scalekit/core/trace_context.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using scalekit::trace_context;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto cut = input.find('\n');
  const auto state = cut == input.npos ? std::string_view{} : input.substr(cut + 1);

  const auto parsed = trace_context::parse(input.substr(0, cut), state);
  if (!parsed) return 0;

  const auto again = trace_context::parse(parsed->traceparent(), parsed->tracestate());
  if (!again || *again != *parsed) std::abort();
  return 0;
}

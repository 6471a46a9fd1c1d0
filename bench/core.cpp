#include "harness.hpp"
#include "scalekit/core/histogram.hpp"

#include <array>
#include <chrono>

namespace {

/// Latencies from 1 us to 100 ms, so that neither a bucket nor a branch repeats.
const std::array<std::chrono::nanoseconds, 1024>& latencies() {
  static const auto values = [] {
    std::array<std::chrono::nanoseconds, 1024> v{};
    double value = 1000;
    for (auto& d : v) {
      d = std::chrono::nanoseconds(static_cast<std::int64_t>(value));
      value *= 1.5;
      if (value > 1e8) value /= 1e5;
    }
    return v;
  }();
  return values;
}

double record_rate() {
  const auto& values = latencies();
  scalekit::histogram histogram;
  return bench::rate([&](std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) histogram.record(values[i % values.size()]);
    bench::keep(histogram);
  });
}

}  // namespace

void bench::register_cases() {
  add({.name = "core.histogram.record", .unit = "ops/s", .ours = record_rate, .least_value = 60e6});
}

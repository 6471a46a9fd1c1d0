#include "traffic.hpp"

namespace storefront {

boost::json::object traffic::to_json() const {
  auto times = times_.snapshot();
  auto micros = [](std::chrono::nanoseconds d) {
    return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
  };
  return {{"ok", ok_.value()},
          {"refused_4xx", refused_.value()},
          {"limited_429", limited_.value()},
          {"busy_503", busy_.value()},
          {"failed_5xx", failed_.value()},
          {"ok_p50_us", micros(times.p50())},
          {"ok_p95_us", micros(times.p95())},
          {"ok_p99_us", micros(times.p99())}};
}

}  // namespace storefront

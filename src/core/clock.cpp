#include "scalekit/core/clock.hpp"

namespace scalekit {
namespace {

class system_clocks final : public clock {
 public:
  time_point now() const noexcept override { return std::chrono::steady_clock::now(); }
  wall_time wall_now() const noexcept override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now());
  }
};

}  // namespace

const clock& clock::system() noexcept {
  static const system_clocks instance;
  return instance;
}

}  // namespace scalekit

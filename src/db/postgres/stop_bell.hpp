#pragma once

#include "db/postgres/wake_descriptor.hpp"

#include <array>
#include <optional>
#include <stop_token>

namespace scalekit::db::postgres {

/// Rings a wake_descriptor when one of a call's stop tokens is triggered, while it lives. Costs
/// next to nothing for tokens that never can be.
class stop_bell {
 public:
  stop_bell(const wake_descriptor& bell, const std::array<const std::stop_token*, 3>& stops)
      : bell_(bell) {
    for (std::size_t i = 0; i < stops.size(); ++i) {
      if (stops[i] == nullptr || !stops[i]->stop_possible()) continue;
      watching_ = true;
      callbacks_[i].emplace(*stops[i], ring{bell});
    }
  }
  ~stop_bell() {
    if (!watching_) return;
    for (auto& each : callbacks_) each.reset();
    bell_.silence();
  }
  stop_bell(const stop_bell&) = delete;
  stop_bell& operator=(const stop_bell&) = delete;

 private:
  struct ring {
    const wake_descriptor& bell;
    void operator()() const noexcept { bell.ring(); }
  };

  const wake_descriptor& bell_;
  bool watching_ = false;
  std::array<std::optional<std::stop_callback<ring>>, 3> callbacks_;
};

}  // namespace scalekit::db::postgres

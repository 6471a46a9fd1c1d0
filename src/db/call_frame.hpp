#pragma once

#include "db/call_site.hpp"
#include "scalekit/core/deadline.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/request_scope.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <source_location>
#include <stop_token>

namespace scalekit::db::detail {

/// When one call began, when it must end, and what else can end it. Points into the options of
/// the call.
struct call_frame {
  time_point begun;
  deadline until;
  std::array<const std::stop_token*, 3> stops{};
  const request_scope* scope = nullptr;
  /// Set when the call had to wait for a host or its connection: when it had that.
  std::optional<time_point> acquired = {};

  bool is_stopped() const noexcept {
    for (const auto* stop : stops) {
      if (stop != nullptr && stop->stop_requested()) return true;
    }
    return false;
  }
};

template <class Options>
call_frame frame_of(const Options& options, std::chrono::nanoseconds default_timeout) {
  auto begun = std::chrono::steady_clock::now();
  return {begun,
          deadline::after(options.timeout.value_or(default_timeout), begun),
          {&options.stop},
          &options.scope};
}

inline void throw_if_stopped(const std::stop_token& stop, const std::source_location& site) {
  if (!stop.stop_requested()) return;
  throw error(errc::cancelled, describe(site) + ": cancelled before it began");
}

}  // namespace scalekit::db::detail

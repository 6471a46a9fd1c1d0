#include "testing/held_call.hpp"

#include "db/call_site.hpp"
#include "testing/injected_error.hpp"

#include <algorithm>

namespace scalekit::testing::detail {

wait_end end_of(const held_call& held, time_point now, time_point really) noexcept {
  const auto& by = *held.met.by;
  const auto& limits = held.limits;
  if (by.is_removed || held.met.number <= by.let_go) return wait_end::over;
  const auto is_stopped = [](const auto& stop) { return stop.stop_requested(); };
  if (std::ranges::any_of(limits.stops, is_stopped)) return wait_end::cancelled;
  // A clock may have moved past both at once: what comes first counts.
  if (!by.what.hold && now >= held.due && held.due <= limits.until) return wait_end::over;
  const bool is_late = now >= limits.until || really >= limits.until_really;
  return is_late ? wait_end::late : wait_end::not_yet;
}

void resume(const held_call& held, wait_end how) {
  const auto& by = *held.met.by;
  const auto failure = [&](errc code, const char* what) {
    return std::make_exception_ptr(injected_error(code, held.limits.place + ": " + what +
                                                            " the fault injected at " +
                                                            db::detail::describe(by.site)));
  };
  if (how == wait_end::cancelled) {
    return held.go_on(failure(errc::cancelled, "cancelled while it was held by"), nullptr);
  }
  if (how == wait_end::late) {
    return held.go_on(failure(held.limits.late, "held for longer than its timeout by"), nullptr);
  }
  if (!by.what.error) return held.go_on(nullptr, nullptr);
  auto e = failure(*by.what.error, "met");
  by.what.is_made ? held.go_on(nullptr, std::move(e)) : held.go_on(std::move(e), nullptr);
}

}  // namespace scalekit::testing::detail

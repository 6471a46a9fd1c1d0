#include "db/sqlite/stop_condition.hpp"

#include "db/call_site.hpp"

namespace scalekit::db::sqlite {

errc errc_of(stop_cause why) noexcept {
  if (why == stop_cause::deadline) return errc::execution_timeout;
  return why == stop_cause::closing ? errc::closed : errc::cancelled;
}

std::string text_of(stop_cause why, time_point begun) {
  const auto took = detail::in_ms(std::chrono::steady_clock::now() - begun);
  if (why == stop_cause::deadline) return "stopped after " + took + ", its timeout";
  if (why == stop_cause::closing) return "stopped after " + took + ", the client was closed";
  return "cancelled after " + took;
}

}  // namespace scalekit::db::sqlite

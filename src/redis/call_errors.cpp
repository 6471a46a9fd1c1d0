#include "redis/call_errors.hpp"

#include "scalekit/core/settings_text.hpp"

#include <chrono>

namespace scalekit::redis::detail {

using std::chrono::milliseconds;

namespace {

error make(errc code, const call_fate& c, const std::string& text) {
  return {make_error_code(code), {c.command + ": " + text, {}, {}, c.server}};
}

/// Of a call whose answer was never heard.
errc unanswered(const call_fate& c, errc harmless) noexcept {
  return c.was_sent && !c.is_harmless ? errc::commit_in_doubt : harmless;
}

std::string in_ms(std::chrono::nanoseconds d) {
  return std::to_string(std::chrono::duration_cast<milliseconds>(d).count()) + " ms";
}

std::string describe(const connection_state& s, time_point now) {
  std::string text = "on its connection " + std::to_string(s.in_flight) + " calls under way and " +
                     std::to_string(s.waiting) + " waiting, of " + format_size(s.bytes) +
                     " together, ";
  if (s.last_heard == time_point{}) return text + "and nothing ever came";
  return text + "the last byte came " + in_ms(now - s.last_heard) + " ago";
}

}  // namespace

error late_error(const call_fate& c, const connection_state& s, time_point sent_at,
                 time_point now) {
  if (c.was_sent) {
    return make(unanswered(c, errc::execution_timeout), c,
                "no answer within its timeout, " + in_ms(now - sent_at) + " after it was sent; " +
                    describe(s, now));
  }
  if (!s.is_connected) return unreachable_error(c, s);
  return make(errc::acquire_timeout, c, "not sent within its timeout; " + describe(s, now));
}

error held_up_error(const call_fate& c) {
  return make(unanswered(c, errc::execution_timeout), c,
              "no answer within its timeout: the event loop of its connection is held up");
}

error unreachable_error(const call_fate& c, const connection_state& s) {
  const auto waiting = "; " + std::to_string(s.waiting) + " calls waiting";
  if (s.dial_failure.empty()) {
    return make(errc::acquire_timeout, c, "no connection in time" + waiting);
  }
  return make(s.dial_code, c, "no connection: " + s.dial_failure + waiting);
}

error lost_error(const call_fate& c, const std::string& why) {
  return make(unanswered(c, errc::connection_lost), c,
              (c.was_sent ? "no answer: " : "not sent: ") + why);
}

error too_large_reply(const call_fate& c, const std::string& why) {
  return make(errc::too_large, c, why + "; its connection was given up");
}

error cancelled_error(const call_fate& c) {
  return make(errc::cancelled, c,
              c.was_sent ? "cancelled by its caller after it was sent"
                         : "cancelled by its caller before it was sent");
}

error closed_error(const call_fate& c) {
  return make(unanswered(c, errc::closed), c, "the client was closed");
}

error shed_error(const call_fate& c, const std::string& what) {
  return make(errc::shed, c, what);
}

}  // namespace scalekit::redis::detail

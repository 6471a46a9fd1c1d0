#include "scalekit/core/log.hpp"

namespace scalekit {

log_sink::log_sink(callback to, log_level least) : to_(std::move(to)), least_(least) {}

void log_sink::operator()(
    log_level level, std::string_view event, std::string_view message,
    std::initializer_list<std::pair<std::string_view, std::string_view>> fields) const noexcept {
  if (!wants(level)) return;
  try {
    to_(log_record{level, event, message, {fields.begin(), fields.size()}});
  } catch (...) {
    // A sink that fails must not fail the operation it reports on.
  }
}

}  // namespace scalekit

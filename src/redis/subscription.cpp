#include "redis/subscription.hpp"

#include "redis/server_error.hpp"

#include <string_view>
#include <utility>

namespace scalekit::redis::detail {
namespace {

void append_subscribe(std::string& to, std::string_view name,
                      const std::vector<std::string>& channels) {
  if (channels.empty()) return;
  auto add = [&to](std::string_view word) {
    to += "$" + std::to_string(word.size()) + "\r\n";
    to.append(word).append("\r\n");
  };
  to += "*" + std::to_string(channels.size() + 1) + "\r\n";
  add(name);
  for (const auto& each : channels) add(each);
}

}  // namespace

subscription::subscription(const subscriber_params& params)
    : missing_(params.channels.size() + params.patterns.size()) {
  append_subscribe(bytes_, "SUBSCRIBE", params.channels);
  append_subscribe(bytes_, "PSUBSCRIBE", params.patterns);
}

subscription::heard subscription::take(reply&& next) {
  if (next.kind == reply_kind::error) {
    why_ = "subscribing was refused: " + server_error(next, {}, {}).diag().server_message;
    return heard::refused;
  }
  if (message_in(next)) {
    messages_.push_back(std::move(next));
    return is_complete() ? heard::message : heard::nothing;
  }
  const auto kind =
      next.elements.empty() ? std::string_view{} : std::string_view(next.elements.front().text);
  if (kind != "subscribe" && kind != "psubscribe") return heard::nothing;
  if (missing_ == 0 || --missing_ > 0) return heard::nothing;
  return heard::complete;
}

std::optional<message> subscription::message_in(const reply& r) {
  const auto& e = r.elements;
  if (e.size() == 3 && e[0].text == "message") {
    return message{.channel = e[1].text, .payload = e[2].text, .pattern = {}};
  }
  if (e.size() == 4 && e[0].text == "pmessage") {
    return message{.channel = e[2].text, .payload = e[3].text, .pattern = e[1].text};
  }
  return std::nullopt;
}

}  // namespace scalekit::redis::detail

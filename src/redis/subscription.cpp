#include "redis/subscription.hpp"

#include "redis/server_error.hpp"
#include "redis/wire_text.hpp"

#include <string_view>
#include <utility>

namespace scalekit::redis::detail {
namespace {

/// Where a connection hears of the keys that it tracks, if it speaks RESP2.
constexpr std::string_view changes_channel = "__redis__:invalidate";

void append_subscribe(std::string& to, std::string_view name,
                      const std::vector<std::string>& channels) {
  if (channels.empty()) return;
  std::vector<std::string_view> words{name};
  words.insert(words.end(), channels.begin(), channels.end());
  append_command(to, words);
}

/// Of changed keys; of all of them it names none.
bool tells_of_changes(const reply& r) {
  const auto& e = r.elements;
  return e.size() == 3 && e[0].text == "message" && e[1].text == changes_channel &&
         (e[2].kind == reply_kind::array || e[2].kind == reply_kind::nil);
}

}  // namespace

subscription::subscription(const subscriber_params& params)
    : prefixes_(params.tracked_prefixes),
      awaits_id_(!prefixes_.empty()),
      missing_(params.channels.size() + params.patterns.size() + (awaits_id_ ? 1 : 0)) {
  if (awaits_id_) append_command(subscribing_, {"SUBSCRIBE", changes_channel});
  append_subscribe(subscribing_, "SUBSCRIBE", params.channels);
  append_subscribe(subscribing_, "PSUBSCRIBE", params.patterns);
  if (awaits_id_) {
    append_command(bytes_, {"CLIENT", "ID"});
  } else {
    bytes_ = subscribing_;
  }
}

/// It is redirected to itself: a connection that hears of the keys cannot outlive the one that
/// tracks them. Without NOLOOP, which also hides another's change of a key that was changed by
/// this connection a moment before.
std::string subscription::tracking_by(std::int64_t connection) const {
  const auto id = std::to_string(connection);
  std::vector<std::string_view> words{"CLIENT", "TRACKING", "ON", "REDIRECT", id, "BCAST"};
  for (const auto& each : prefixes_) words.insert(words.end(), {"PREFIX", each});
  std::string command;
  append_command(command, words);
  return command;
}

subscription::heard subscription::take(reply&& next) {
  if (next.kind == reply_kind::error) {
    // An answer to who asks whether anybody is there.
    if (is_complete()) return heard::nothing;
    why_ = "subscribing was refused: " + server_error(next, {}, {}).diag().server_message;
    return heard::refused;
  }
  if (awaits_id_) {
    if (next.kind != reply_kind::integer) return heard::nothing;
    awaits_id_ = false;
    bytes_ = tracking_by(next.integer) + subscribing_;
    return heard::more;
  }
  if (message_in(next) || tells_of_changes(next)) {
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
  if (e.size() == 3 && e[0].text == "message" && e[2].kind == reply_kind::text) {
    return message{.channel = e[1].text, .payload = e[2].text, .pattern = {}};
  }
  if (e.size() == 4 && e[0].text == "pmessage") {
    return message{.channel = e[2].text, .payload = e[3].text, .pattern = e[1].text};
  }
  return std::nullopt;
}

std::optional<subscription::changes> subscription::changes_in(const reply& r) {
  if (!tells_of_changes(r)) return std::nullopt;
  const auto& what = r.elements[2];
  changes all{.keys = {}, .is_everything = what.kind == reply_kind::nil};
  all.keys.reserve(what.elements.size());
  for (const auto& key : what.elements) all.keys.push_back(key.text);
  return all;
}

}  // namespace scalekit::redis::detail

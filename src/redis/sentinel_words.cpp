#include "redis/sentinel_words.hpp"

#include "redis/server_error.hpp"
#include "redis/wire_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace scalekit::redis::detail {
namespace {

constexpr std::string_view switch_channel = "+switch-master";

/// The longest name that DNS knows.
constexpr std::size_t max_host = 253;

std::optional<place> read_place(std::string_view host, std::string_view port) {
  const bool is_host = !host.empty() && host.size() <= max_host &&
                       std::ranges::all_of(host, [](char c) { return c > ' ' && c < 0x7f; });
  place p{.path = {}, .host = std::string(host)};
  const auto* last = port.data() + port.size();
  const auto [end, failure] = std::from_chars(port.data(), last, p.port);
  if (!is_host || failure != std::errc{} || end != last || p.port == 0) return std::nullopt;
  return p;
}

std::string refusal_in(const reply& r) {
  return server_error(r, {}, {}).diag().server_message;
}

}  // namespace

std::string sentinel_question(std::string_view service) {
  std::string bytes;
  append_command(bytes, {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", service});
  append_command(bytes, {"SENTINEL", "CKQUORUM", service});
  return bytes;
}

std::string sentinel_listen(std::string_view service) {
  std::string bytes;
  append_command(bytes, {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", service});
  append_command(bytes, {"SUBSCRIBE", switch_channel});
  return bytes;
}

std::optional<place> read_address(const reply& address) {
  const auto& e = address.elements;
  const bool is_pair = address.kind == reply_kind::array && e.size() == 2 &&
                       e[0].kind == reply_kind::text && e[1].kind == reply_kind::text;
  return is_pair ? read_place(e[0].text, e[1].text) : std::nullopt;
}

sentinel_word read_word(const reply& address, const reply& quorum) {
  if (address.kind == reply_kind::nil) return {.is_unknown = true, .why = "does not know it"};
  if (address.kind == reply_kind::error) return {.why = refusal_in(address)};
  sentinel_word word{.master = read_address(address)};
  if (!word.master) {
    word.why = "what it says is no address";
  } else if (quorum.kind == reply_kind::error && code_of(quorum.text) == "NOQUORUM") {
    // Another refusal only says that we may not ask.
    word.has_quorum = false;
    word.why = refusal_in(quorum);
  }
  return word;
}

std::optional<place> read_switch(const reply& message, std::string_view service) {
  const auto& e = message.elements;
  if (e.size() != 3 || e[0].text != "message" || e[1].text != switch_channel) return std::nullopt;
  // "service old-host old-port new-host new-port"
  std::array<std::string_view, 5> words;
  std::string_view rest = e[2].text;
  for (auto& word : words) {
    word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  }
  if (words[0] != service || !rest.empty()) return std::nullopt;
  return read_place(words[3], words[4]);
}

}  // namespace scalekit::redis::detail

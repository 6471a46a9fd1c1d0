#include "db/postgres/login_refusal.hpp"

#include <algorithm>
#include <initializer_list>

namespace scalekit::db::postgres {
namespace {

constexpr std::size_t state_size = 5;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool is_sqlstate(std::string_view text) noexcept {
  return text.size() == state_size && std::ranges::any_of(text, is_digit) &&
         std::ranges::all_of(text, [](char c) { return is_digit(c) || (c >= 'A' && c <= 'Z'); });
}

/// "FATAL:  28P01: ...", whatever stands for FATAL; empty where there is none.
std::string_view state_in(std::string_view line) noexcept {
  constexpr std::string_view before = ":  ", after = ": ";
  const auto colon = line.find(before);
  if (colon == std::string_view::npos) return {};
  line.remove_prefix(colon + before.size());
  const auto state = line.substr(0, state_size);
  return is_sqlstate(state) && line.substr(state.size()).starts_with(after) ? state
                                                                            : std::string_view();
}

}  // namespace

login_refusal refusal_in(std::string_view verbose) {
  login_refusal out;
  while (!verbose.empty()) {
    const auto line = verbose.substr(0, verbose.find('\n'));
    verbose.remove_prefix(std::min(line.size() + 1, verbose.size()));
    // The place in the server's source.
    if (line.starts_with("LOCATION:")) continue;
    if (const auto state = state_in(line); !state.empty()) out.state = state;
    if (!out.text.empty()) out.text += '\n';
    out.text += line;
  }
  return out;
}

bool is_hopeless_login(std::string_view sqlstate) noexcept {
  for (const std::string_view same : {"22", "28", "3D", "42"}) {
    if (sqlstate.starts_with(same)) return true;
  }
  return false;
}

}  // namespace scalekit::db::postgres

#include "cli/load_options.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <array>
#include <charconv>
#include <optional>
#include <stdexcept>

namespace scalekit::cli {
namespace {

struct time_unit {
  std::string_view name;
  double seconds;
};

constexpr std::array units = {time_unit{"us", 1e-6}, time_unit{"ms", 1e-3}, time_unit{"s", 1},
                              time_unit{"m", 60}, time_unit{"h", 3600}};

constexpr double max_seconds = 24 * 3600;

[[noreturn]] void refuse(std::string_view what, std::string_view text, std::string_view legal) {
  throw std::invalid_argument(std::string(what) + " is '" + std::string(text) +
                              "'; legal: " + std::string(legal));
}

/// The number that `text` begins with, which is cut off; nullopt if there is none.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  auto [rest, failure] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (failure != std::errc{} || !(value >= 0)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  return value;
}

}  // namespace

load_url parse_load_url(std::string_view text) {
  constexpr auto legal = "http://HOST[:PORT][/PATH][?QUERY]";
  auto parsed = boost::urls::parse_uri(text);
  if (!parsed || parsed->scheme() != "http" || parsed->encoded_host_address().empty() ||
      parsed->has_userinfo() || parsed->has_fragment()) {
    refuse("URL", text, legal);
  }
  load_url url;
  url.host = parsed->host_address();
  // Not port_number(): Boost 1.81 cuts 99999 to 16 bits.
  std::string_view port = parsed->port();
  if (!port.empty()) {
    auto [rest, failure] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (failure != std::errc{} || url.port == 0) refuse("URL", text, legal);
  }
  url.target = parsed->encoded_target();
  if (url.target.empty() || url.target.front() != '/') url.target.insert(0, "/");
  return url;
}

std::chrono::nanoseconds parse_duration(std::string_view text) {
  auto rest = text;
  auto number = take_number(rest);
  for (const auto& unit : units) {
    if (!number || rest != unit.name || *number * unit.seconds > max_seconds) continue;
    return std::chrono::nanoseconds{static_cast<std::int64_t>(*number * unit.seconds * 1e9)};
  }
  refuse("duration", text, "a number with us, ms, s, m or h, at most 24h");
}

ops::load_stage parse_stage(std::string_view text) {
  constexpr auto legal = "DURATION:RATE or DURATION:FROM-TO, such as 30s:100 or 1m:100-500";
  auto colon = text.find(':');
  if (colon == std::string_view::npos) refuse("stage", text, legal);
  ops::load_stage stage{.duration = parse_duration(text.substr(0, colon))};
  auto rest = text.substr(colon + 1);
  auto first = take_number(rest);
  if (!first) refuse("stage", text, legal);
  stage.rate = *first;
  if (rest.empty()) return stage;
  if (rest.front() != '-') refuse("stage", text, legal);
  rest.remove_prefix(1);
  auto last = take_number(rest);
  if (!last || !rest.empty()) refuse("stage", text, legal);
  stage.ramp_from = stage.rate;
  stage.rate = *last;
  return stage;
}

}  // namespace scalekit::cli

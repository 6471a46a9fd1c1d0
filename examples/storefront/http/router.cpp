#include "http/router.hpp"

#include <algorithm>
#include <optional>

namespace storefront {
namespace {

using captured = std::vector<std::pair<std::string_view, std::string_view>>;

/// Takes "/segment" off the front of `path`.
std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);
  auto segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

std::optional<captured> matches(std::string_view pattern, std::string_view path) {
  captured captures;
  while (pattern.starts_with('/') && path.starts_with('/')) {
    auto expected = next_segment(pattern);
    auto actual = next_segment(path);
    if (expected.starts_with(':')) {
      if (actual.empty()) return std::nullopt;
      captures.emplace_back(expected.substr(1), actual);
    } else if (expected != actual) {
      return std::nullopt;
    }
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return captures;
}

std::string verb_name(http_verb verb) {
  return std::string(boost::beast::http::to_string(verb));
}

}  // namespace

void router::add(http_verb verb, std::string pattern, handler handle) {
  auto name = verb_name(verb) + " " + pattern;
  routes_.push_back({verb, std::move(pattern), std::move(name), std::move(handle)});
}

router::match router::find(http_verb verb, std::string_view path) const {
  if (verb == http_verb::head) verb = http_verb::get;
  match result;
  for (const auto& candidate : routes_) {
    auto captures = matches(candidate.pattern, path);
    if (!captures) continue;
    if (candidate.verb == verb) return {&candidate, std::move(*captures), {}};
    if (!result.allowed.empty()) result.allowed += ", ";
    result.allowed += verb_name(candidate.verb);
  }
  return result;
}

}  // namespace storefront

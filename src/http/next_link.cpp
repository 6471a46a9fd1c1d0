#include "scalekit/http/next_link.hpp"

#include "scalekit/core/error.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace scalekit::http {
namespace {

error bad_target() {
  return {errc::invalid_argument, "a link target has no blanks, control characters, <, >, # or \""};
}

bool is_in_uri(char c) {
  return c > ' ' && c < '\x7f' && c != '<' && c != '>' && c != '"' && c != '\\' && c != '#';
}

/// `query` without the parameters called `name`.
std::string without(std::string_view query, std::string_view name) {
  std::string kept;
  while (!query.empty()) {
    auto part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    if (part.empty() || part.substr(0, part.find('=')) == name) continue;
    kept.append(part).append("&");
  }
  return kept;
}

}  // namespace

header next_link(std::string_view target, std::string_view cursor, std::string_view parameter) {
  auto legal = [](std::string_view s) { return std::all_of(s.begin(), s.end(), is_in_uri); };
  if (target.empty() || !legal(target) || !legal(cursor) || !legal(parameter)) throw bad_target();
  auto mark = target.find('?');
  auto query = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  std::string value = "<";
  value.append(target.substr(0, mark)).append("?").append(without(query, parameter));
  value.append(parameter).append("=").append(cursor).append(">; rel=\"next\"");
  return {"Link", std::move(value)};
}

}  // namespace scalekit::http

#include <string>
#include <string_view>
#include <utility>

//[page
#include <scalekit/http.hpp>

namespace http = scalekit::http;

/// `target` is what the client asked for, `cursor` where the page has ended: see db::keyset.
http::header link_to_next(std::string_view target, std::string_view cursor) {
  return http::next_link(target, cursor);
}
//]

//[etag
std::pair<int, std::string> reply(std::string_view if_none_match, const std::string& body) {
  if (http::matches_etag(if_none_match, http::strong_etag(body))) return {304, ""};
  return {200, body};
}
//]

int main() {
  const auto link = link_to_next("/products?category=seat&after=old", "new");
  if (link.value != "</products?category=seat&after=new>; rel=\"next\"") return 1;
  if (reply("", "body").first != 200) return 1;
  return reply(http::strong_etag("body"), "body").first == 304 ? 0 : 1;
}

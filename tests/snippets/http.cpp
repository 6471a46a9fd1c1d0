#include <string>
#include <string_view>
#include <utility>
#include <vector>

//[page
#include <scalekit/http.hpp>

namespace http = scalekit::http;

struct product {
  std::string name;
  std::string id;
};

/// Where the page after `page` begins. `target` is what the client asked for.
http::header link_after(const std::vector<product>& page, std::string_view target) {
  return http::next_link(target, http::encode_cursor({page.back().name, page.back().id}));
}

/// The sort key to continue behind: bind both to `where (name, id) > ($1, $2)`.
scalekit::result<product> continue_at(std::string_view after) {
  auto fields = http::decode_cursor(after, 2);
  if (fields.has_error()) return fields.error();  // answer 400
  return product{(*fields)[0], (*fields)[1]};
}
//]

//[etag
std::pair<int, std::string> reply(std::string_view if_none_match, const std::string& body) {
  if (http::matches_etag(if_none_match, http::strong_etag(body))) return {304, ""};
  return {200, body};
}
//]

int main() {
  std::vector<product> page{{"sofa", "41"}, {"sofa", "42"}};
  auto link = link_after(page, "/products?category=seat");
  auto from = link.value.find("after=") + 6;
  auto cursor = link.value.substr(from, link.value.find('>') - from);
  auto next = continue_at(cursor);
  if (next.has_error() || next->id != "42" || continue_at("garbage").has_value()) return 1;
  if (reply("", "body").first != 200) return 1;
  return reply(http::strong_etag("body"), "body").first == 304 ? 0 : 1;
}

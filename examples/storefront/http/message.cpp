#include "http/message.hpp"

#include "http/problem.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/url/parse.hpp>

#include <algorithm>
#include <charconv>

namespace storefront {
namespace {

std::string checked(std::string text, std::string_view what) {
  auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(text.begin(), text.end(), control)) {
    throw bad_request(std::string(what) + " contains control characters");
  }
  return text;
}

}  // namespace

request::request(http_message message, std::string peer)
    : message_(std::move(message)), peer_(std::move(peer)) {
  auto target = message_.target();
  auto url = boost::urls::parse_origin_form({target.data(), target.size()});
  if (!url) throw bad_request("the request target is not a path");
  url_ = *url;
}

std::string request::header_list(std::string_view name) const {
  std::string all;
  auto [at, end] = message_.equal_range(boost::beast::string_view(name.data(), name.size()));
  for (; at != end; ++at) {
    if (!all.empty()) all += ',';
    all.append(at->value().data(), at->value().size());
  }
  return all;
}

bool request::has_header(std::string_view name) const {
  return message_.count(boost::beast::string_view(name.data(), name.size())) > 0;
}

std::string_view request::header(std::string_view name) const {
  auto value = message_[boost::beast::string_view(name.data(), name.size())];
  return {value.data(), value.size()};
}

std::optional<std::string> request::query(std::string_view name) const {
  auto params = url_.params();
  auto found = params.find({name.data(), name.size()});
  if (found == params.end()) return std::nullopt;
  return checked((*found).value, name);
}

std::string request::capture(std::string_view name) const {
  auto found = std::find_if(captures.begin(), captures.end(),
                            [&](const auto& capture) { return capture.first == name; });
  if (found == captures.end()) return {};
  boost::urls::pct_string_view encoded(found->second.data(), found->second.size());
  return checked(encoded.decode(), name);
}

std::int64_t request::capture_id(std::string_view name) const {
  auto text = capture(name);
  std::int64_t id = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size() || id < 1) {
    throw not_found("there is no such " + std::string(name));
  }
  return id;
}

response json_response(int status, const boost::json::value& body) {
  return {.status = status, .body = boost::json::serialize(body), .headers = {}};
}

}  // namespace storefront

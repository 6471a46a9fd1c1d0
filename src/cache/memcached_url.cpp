#include "cache/memcached_url.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace scalekit::cache::detail {
namespace {

constexpr std::string_view scheme = "memcached://";

[[noreturn]] void refuse(const std::string& why) {
  throw std::invalid_argument("the URL of memcached " + why +
                              "; legal: memcached://host[:port][,host[:port]...]");
}

bool is_host(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':';
  });
}

std::uint16_t port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto* last = text.data() + text.size();
  const auto [end, failure] = std::from_chars(text.data(), last, port);
  if (failure != std::errc{} || end != last || port == 0) refuse("has a port outside 1 to 65535");
  return port;
}

memcached_host host_of(std::string_view text) {
  memcached_host host;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) refuse("has an address without its closing bracket");
    host.name = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    const auto colon = text.find(':');
    host.name = text.substr(0, colon);
    rest = colon == text.npos ? std::string_view() : text.substr(colon);
  }
  if (!is_host(host.name)) refuse("has a host that is none");
  if (rest.empty()) return host;
  if (rest[0] != ':') refuse("has something other than a port behind a host");
  host.port = port_of(rest.substr(1));
  return host;
}

}  // namespace

std::vector<memcached_host> memcached_hosts(std::string_view url) {
  if (!url.starts_with(scheme)) refuse("has another scheme");
  url.remove_prefix(scheme.size());
  if (url.find('?') != url.npos) refuse("has settings in it, of which there are none");
  if (url.ends_with('/')) url.remove_suffix(1);
  std::vector<memcached_host> hosts;
  while (true) {
    const auto comma = url.find(',');
    auto host = host_of(url.substr(0, comma));
    if (std::ranges::find(hosts, host) != hosts.end()) refuse("names a host twice");
    hosts.push_back(std::move(host));
    if (comma == url.npos) return hosts;
    url.remove_prefix(comma + 1);
  }
}

std::string name_of(const std::vector<memcached_host>& hosts) {
  std::string text;
  for (const auto& host : hosts) {
    const bool is_v6 = host.name.find(':') != host.name.npos;
    text += text.empty() ? "" : ",";
    text += (is_v6 ? "[" + host.name + "]" : host.name) + ":" + std::to_string(host.port);
  }
  return text;
}

}  // namespace scalekit::cache::detail

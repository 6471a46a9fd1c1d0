#include "db/topology/host_spec.hpp"

#include "core/require.hpp"
#include "scalekit/core/error.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <system_error>
#include <utility>

namespace scalekit::db::detail {
namespace {

using scalekit::detail::require;

constexpr std::string_view legal =
    "host[:port]:name=value,...;... with the client's hosts, IPv6 as [::1]";

/// "10.0.0.2:5433", "[::1]", "/run/postgresql" against a host. Without a port every port fits.
bool names(std::string_view text, const host_spec& host) {
  const bool is_ipv6 = host.host.find(':') != std::string::npos;
  const auto name = is_ipv6 ? '[' + host.host + ']' : host.host;
  if (!text.starts_with(name)) return false;
  text.remove_prefix(name.size());
  return text.empty() || text == ':' + std::to_string(host.port);
}

/// Where the labels of a host begin, with their ':'. They have no other in them.
std::size_t start_of_labels(std::string_view part) {
  const auto equals = part.find('=');
  return equals == std::string_view::npos ? equals : part.rfind(':', equals);
}

bool read_port(std::string_view digits, std::uint16_t& port) {
  const auto* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, port);
  return read.ec == std::errc() && read.ptr == end && port > 0;
}

/// "10.0.0.2:5433", "[::1]", "/run/postgresql".
std::optional<host_spec> parse_place(std::string_view text) {
  host_spec host;
  const bool is_ipv6 = text.starts_with('[');
  const auto end = std::min(is_ipv6 ? text.find("]") : text.find(':'), text.size());
  host.host = text.substr(is_ipv6 ? 1 : 0, is_ipv6 ? end - 1 : end);
  auto port = text.substr(std::min(end + (is_ipv6 ? 1 : 0), text.size()));
  // What a list of libpq, or of ours, would not read again as this one host.
  const bool is_plain = host.host.find_first_of(" \t,;=[]") == std::string::npos;
  const bool has_brackets_closed = !is_ipv6 || end < text.size();
  if (host.host.empty() || !is_plain || !has_brackets_closed) return std::nullopt;
  if (port.empty()) return host;
  if (!port.starts_with(':') || !read_port(port.substr(1), host.port)) return std::nullopt;
  return host;
}

std::optional<host_spec> parse_host(std::string_view text) {
  const auto colon = start_of_labels(text);
  auto host = parse_place(text.substr(0, colon));
  if (!host || colon == std::string_view::npos) return host;
  try {
    host->labels = parse_labels(text.substr(colon + 1));
  } catch (const error&) {
    return std::nullopt;
  }
  return host;
}

void apply_one(std::vector<host_spec>& hosts, std::string_view part) {
  const auto colon = start_of_labels(part);
  require(colon != std::string_view::npos, "replica_labels", "'" + std::string(part) + "'", legal);
  db::labels given;
  try {
    given = parse_labels(part.substr(colon + 1));
  } catch (const error& e) {
    require(false, "replica_labels", e.diag().client_message, legal);
  }
  bool found = false;
  for (auto& host : hosts) {
    if (!names(part.substr(0, colon), host)) continue;
    found = true;
    for (const auto& [name, value] : given) host.labels.insert_or_assign(name, value);
  }
  require(found, "replica_labels", "for '" + std::string(part.substr(0, colon)) + "'",
          "a host of the client");
}

}  // namespace

std::string to_string(const host_spec& host) {
  const bool is_ipv6 = host.host.find(':') != std::string::npos;
  return (is_ipv6 ? '[' + host.host + ']' : host.host) + ':' + std::to_string(host.port);
}

std::optional<std::vector<host_spec>> parse_hosts(const std::vector<std::string>& texts) {
  std::vector<host_spec> hosts;
  std::set<std::string> places;
  for (const auto& text : texts) {
    auto host = parse_host(text);
    if (!host || !places.insert(to_string(*host)).second) return std::nullopt;
    hosts.push_back(*std::move(host));
  }
  return hosts;
}

void apply_labels(std::vector<host_spec>& hosts, std::string_view replica_labels) {
  while (!replica_labels.empty()) {
    const auto end = replica_labels.find(';');
    const auto part = replica_labels.substr(0, end);
    if (part.find_first_not_of(' ') != std::string_view::npos) {
      apply_one(hosts, part.substr(part.find_first_not_of(' ')));
    }
    replica_labels.remove_prefix(end == std::string_view::npos ? replica_labels.size() : end + 1);
  }
}

}  // namespace scalekit::db::detail

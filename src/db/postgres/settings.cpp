#include "db/postgres/settings.hpp"

#include "core/require.hpp"
#include "db/postgres/pq.hpp"
#include "scalekit/db/client_settings.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

namespace scalekit::db::postgres {
namespace {

using keyword_list = std::vector<std::pair<std::string, std::string>>;

struct options_deleter {
  void operator()(PQconninfoOption* o) const noexcept { PQconninfoFree(o); }
};
using options_ptr = std::unique_ptr<PQconninfoOption, options_deleter>;

/// The URL as an error may show it: without what stands before an '@'.
std::string shown(std::string_view url) {
  const auto at = url.rfind('@');
  if (at == std::string_view::npos) return std::string(url.substr(0, url.find('?')));
  return std::string(url.substr(0, url.find(':'))) + "://***" +
         std::string(url.substr(at, url.find('?', at) - at));
}

const std::set<std::string, std::less<>>& libpq_keywords() {
  static const auto known = [] {
    std::set<std::string, std::less<>> names{"ssl"};  // A JDBC spelling that libpq accepts in URLs.
    const options_ptr defaults(PQconndefaults());
    for (auto* o = defaults.get(); o != nullptr && o->keyword != nullptr; ++o) {
      names.insert(o->keyword);
    }
    return names;
  }();
  return known;
}

/// Takes from the query of a URL what is ours; what is left is libpq's.
std::string split_query(std::string_view query, std::string& ours) {
  std::string theirs;
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto one = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    const bool is_theirs = libpq_keywords().contains(one.substr(0, one.find('=')));
    auto& to = is_theirs ? theirs : ours;
    if (!to.empty()) to += '&';
    to += one;
  }
  return theirs;
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t at = 0;;) {
    const auto comma = text.find(',', at);
    parts.push_back(text.substr(at, comma - at));
    if (comma == std::string::npos) return parts;
    at = comma + 1;
  }
}

keyword_list parse(const std::string& url) {
  char* raw = nullptr;
  const options_ptr options(PQconninfoParse(url.c_str(), &raw));
  // libpq's words may quote the password: they are not passed on.
  PQfreemem(raw);
  scalekit::detail::require(options != nullptr, "db URL", shown(url),
                            "postgresql://user@host:port,host:port/database?keyword=value");
  keyword_list found;
  for (auto* o = options.get(); o->keyword != nullptr; ++o) {
    if (o->val != nullptr) found.emplace_back(o->keyword, o->val);
  }
  return found;
}

std::string take(keyword_list& from, std::string_view keyword) {
  std::string value;
  std::erase_if(from, [&](const auto& each) {
    if (each.first != keyword) return false;
    value = each.second;
    return true;
  });
  return value;
}

/// One address a host. A list of one port is for all, as libpq has it.
std::vector<server_address> servers_of(keyword_list common, std::string_view url) {
  // Which server may do what is the client's own business.
  take(common, "target_session_attrs");
  const auto hosts = split_list(take(common, "host"));
  const auto addresses = split_list(take(common, "hostaddr"));
  const auto ports = split_list(take(common, "port"));
  const auto count = std::max(hosts.size(), addresses.size());
  scalekit::detail::require(
      (ports.size() == 1 || ports.size() == count) &&
          (addresses.size() == count || addresses == std::vector<std::string>{""}),
      "db URL", shown(url), "as many ports and addresses as hosts, or one port for all");
  std::vector<server_address> servers;
  for (std::size_t i = 0; i < count; ++i) {
    server_address server{common, {}, {}};
    auto add = [&server](const char* keyword, const std::string& value) {
      if (!value.empty()) server.keywords.emplace_back(keyword, value);
    };
    const auto host = i < hosts.size() ? hosts[i] : std::string();
    const auto address = i < addresses.size() ? addresses[i] : std::string();
    const auto port = ports.size() == 1 ? ports[0] : ports[i];
    add("host", host);
    add("hostaddr", address);
    add("port", port);
    add("client_encoding", "UTF8");
    add("fallback_application_name", "scalekit");
    const auto& place = host.empty() ? address : host;
    server.name = (place.empty() ? "local" : place) + ":" + (port.empty() ? "5432" : port);
    server.where.host = place.empty() ? "local" : place;
    std::from_chars(port.data(), port.data() + port.size(), server.where.port);
    servers.push_back(std::move(server));
  }
  return servers;
}

void label(std::vector<server_address>& servers, std::string_view replica_labels) {
  std::vector<detail::host_spec> places;
  for (const auto& server : servers) places.push_back(server.where);
  detail::apply_labels(places, replica_labels);
  for (std::size_t i = 0; i < servers.size(); ++i) servers[i].where = std::move(places[i]);
}

}  // namespace

bool is_postgres_url(std::string_view url) noexcept {
  return url.starts_with("postgresql:") || url.starts_with("postgres:");
}

settings settings_from_url(std::string_view url, client_params params) {
  scalekit::detail::require(url.find('\0') == std::string_view::npos, "db URL", shown(url),
                            "no NUL");
  std::string ours;
  std::string text(url.substr(0, url.find('?')));
  if (const auto query = url.find('?'); query != std::string_view::npos) {
    if (auto theirs = split_query(url.substr(query + 1), ours); !theirs.empty()) {
      text += "?" + theirs;
    }
  }
  settings s{{}, std::move(params)};
  settings_origins origins;
  client_settings().set_from_query(s.params, ours, "the db URL", origins);
  client_settings().validate(s.params);
  auto keywords = parse(text);
  take(keywords, "client_encoding");
  s.servers = servers_of(std::move(keywords), url);
  validate(s.params.pool);
  label(s.servers, s.params.topology.replica_labels);
  if (s.params.transaction_pooler) s.params.lanes = s.params.statement_cache = 0;
  return s;
}

}  // namespace scalekit::db::postgres

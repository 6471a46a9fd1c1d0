#include "db/postgres/settings.hpp"

#include "core/require.hpp"
#include "scalekit/db/client_settings.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>
#include <stdexcept>
#include <utility>

namespace scalekit::db::postgres {
namespace {

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

/// Adds the hosts that the settings name, which a URL that names some contradicts.
void add_hosts(keyword_list& to, const std::vector<detail::host_spec>& hosts) {
  if (hosts.empty()) return;
  std::string names, ports, shown_hosts;
  for (const auto& each : hosts) {
    const std::string comma = names.empty() ? "" : ",";
    names += comma + each.host;
    ports += comma + std::to_string(each.port);
    shown_hosts += comma + detail::to_string(each);
  }
  for (const std::string keyword : {"host", "hostaddr", "port"}) {
    const auto of_url = take(to, keyword);
    scalekit::detail::require(of_url.empty(), "topology_params.hosts", shown_hosts,
                              "empty, because the db URL has " + keyword + "=" + of_url);
  }
  to.emplace_back("host", names);
  to.emplace_back("port", ports);
}

/// Adds where the servers are if the URL does not say: libpq finds it in a service, in the
/// environment or among its defaults, but tells a connection alone.
void add_places(keyword_list& to, std::string_view url) {
  auto asked = to;
  // It is checked after all else was collected, and before anything is connected to.
  asked.emplace_back("sslmode", "no such mode");
  const auto told = start_connection(asked);
  const options_ptr all(PQconninfo(told.get()));
  bool is_complete = false;
  for (auto* o = all.get(); o != nullptr && o->keyword != nullptr; ++o) {
    const std::string_view keyword = o->keyword;
    const bool is_place = keyword == "host" || keyword == "hostaddr" || keyword == "port" ||
                          keyword == "target_session_attrs";
    // libpq minds this one only where it waits itself.
    const bool is_ours = is_place || keyword == "connect_timeout";
    if (!is_ours || o->val == nullptr) continue;
    take(to, keyword);
    to.emplace_back(keyword, o->val);
    is_complete |= is_place;
  }
  // Else libpq did not come so far: there is no such service, or its file cannot be read.
  if (is_complete) return;
  throw std::invalid_argument("db URL " + shown(url) + ": " + error_text(told.get()));
}

/// As libpq reads it: none where it is 0 or negative, and 2 s at least.
std::optional<std::chrono::seconds> connect_timeout_of(const std::string& text) {
  if (text.empty()) return {};
  constexpr std::string_view blank = " \t\n\v\f\r";
  std::string_view number = text;
  number.remove_prefix(std::min(number.find_first_not_of(blank), number.size()));
  number = number.substr(0, number.find_last_not_of(blank) + 1);
  if (number.starts_with('+')) number.remove_prefix(1);
  int seconds = 0;
  const auto [end, ec] = std::from_chars(number.data(), number.data() + number.size(), seconds);
  scalekit::detail::require(ec == std::errc() && end == number.data() + number.size(),
                            "connect_timeout in the db URL, its service or PGCONNECT_TIMEOUT", text,
                            "a whole number of seconds; 0 or less: no limit");
  if (seconds <= 0) return {};
  return std::chrono::seconds(std::max(seconds, 2));
}

/// One address a host. A list of one port is for all, as libpq has it.
std::vector<server_address> servers_of(keyword_list common, std::string_view url) {
  auto wanted = take(common, "target_session_attrs");
  const auto patience = connect_timeout_of(take(common, "connect_timeout"));
  const auto hosts = split_list(take(common, "host"));
  const auto addresses = split_list(take(common, "hostaddr"));
  const auto ports = split_list(take(common, "port"));
  const auto count = std::max(hosts.size(), addresses.size());
  scalekit::detail::require(
      (ports.size() == 1 || ports.size() == count) &&
          (addresses.size() == count || addresses == std::vector<std::string>{""}),
      "db URL", shown(url), "as many ports and addresses as hosts, or one port for all");
  if (count > 1) {
    scalekit::detail::require(
        wanted == "any" || wanted == "read-write" || wanted == "primary",
        "target_session_attrs in the db URL", wanted,
        "any, read-write or primary where there are several hosts: writes go to the primary, and "
        "reads to a replica by their consistency");
    // Which of them may do what is the client's own business.
    wanted = "any";
  }
  std::vector<server_address> servers;
  for (std::size_t i = 0; i < count; ++i) {
    server_address server{.keywords = common, .connect_timeout = patience};
    auto add = [&server](const char* keyword, const std::string& value) {
      if (!value.empty()) server.keywords.emplace_back(keyword, value);
    };
    const auto host = i < hosts.size() ? hosts[i] : std::string();
    const auto address = i < addresses.size() ? addresses[i] : std::string();
    const auto port = ports.size() == 1 ? ports[0] : ports[i];
    add("host", host);
    add("hostaddr", address);
    if (address.empty() && name_lookup::is_name(host)) {
      server.lookup = std::make_shared<name_lookup>(host);
    }
    add("port", port);
    add("target_session_attrs", wanted);
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
  const auto hosts = detail::parse_hosts(s.params.topology.hosts).value();
  add_hosts(keywords, hosts);
  add_places(keywords, url);
  s.servers = servers_of(std::move(keywords), url);
  for (std::size_t i = 0; i < hosts.size(); ++i) s.servers[i].where.labels = hosts[i].labels;
  for (auto& server : s.servers) server.credentials = s.params.credentials;
  validate(s.params.pool);
  scalekit::detail::require(
      !s.params.pool.fleet_budget || s.params.transaction_pooler != true,
      "pool_params.fleet_budget", "true",
      "false with transaction_pooler, since the pooler shares out the server's connections");
  label(s.servers, s.params.topology.replica_labels);
  if (s.params.transaction_pooler == true) s.params.lanes = s.params.statement_cache = 0;
  return s;
}

}  // namespace scalekit::db::postgres

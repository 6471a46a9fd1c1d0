#include "redis/place.hpp"

#include "core/require.hpp"
#include "redis/host_list.hpp"
#include "scalekit/core/settings.hpp"
#include "scalekit/redis/client_settings.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <sys/un.h>
#include <utility>

namespace scalekit::redis::detail {

namespace urls = boost::urls;

namespace {

constexpr std::string_view forms =
    "redis://[user[:password]@]host[:port][/database][?setting=value], rediss:// for TLS, "
    "redis+unix://[user[:password]@]/path[?setting=value], "
    "redis+cluster://[user[:password]@]host[:port][,host[:port]...][?setting=value], or "
    "redis+sentinel://[user[:password]@]sentinel[:port][,sentinel[:port]...][/"
    "database]?service=NAME";

constexpr std::uint16_t server_port = 6379;
constexpr std::uint16_t sentinel_port = 26379;

[[noreturn]] void refuse(const std::string& why) {
  throw std::invalid_argument("the URL of a Redis server " + why +
                              "; legal: " + std::string(forms));
}

void read_login(const urls::url_view& u, client_params& params) {
  if (!u.has_userinfo()) return;
  params.username = u.user();
  if (u.has_password()) {
    params.password = u.password();
  } else if (!params.username.empty() && params.password.empty()) {
    refuse("names a user without a password");
  }
}

void read_database(const urls::url_view& u, client_params& params) {
  const std::string path = u.path();
  if (path.empty() || path == "/") return;
  std::uint32_t number = 0;
  const auto* last = path.data() + path.size();
  const auto [end, failure] = std::from_chars(path.data() + 1, last, number);
  if (failure != std::errc{} || end != last) refuse("has a path that is no database's number");
  params.database = number;
}

place read_place(const urls::url_view& u, bool is_unix, std::uint16_t default_port) {
  place p;
  p.port = default_port;
  if (is_unix) {
    p.path = u.path();
    if (!u.encoded_host().empty() || u.has_port()) refuse("names a host and a unix socket");
    if (p.path.size() < 2) refuse("names no unix socket");
    if (p.path.size() >= sizeof(sockaddr_un{}.sun_path)) {
      refuse("names a unix socket whose path is too long");
    }
    if (p.path.find('\0') != p.path.npos) refuse("has a NUL in it");
    return p;
  }
  p.host = u.host_address();
  if (p.host.empty()) refuse("names no host");
  if (p.host.find('\0') != p.host.npos) refuse("has a NUL in it");
  if (u.has_port() && !u.port().empty()) {
    // port_number() is what is left of one that is too large.
    const std::string port(u.port());
    const auto* last = port.data() + port.size();
    const auto [end, failure] = std::from_chars(port.data(), last, p.port);
    if (failure != std::errc{} || end != last || p.port == 0) {
      refuse("has a port outside 1 to 65535");
    }
  }
  return p;
}

bool is_client_name(const std::string& name) {
  return name.size() <= 128 &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f; });
}

/// Those after the first.
std::vector<place> read_others(const host_list& list) {
  std::vector<place> out;
  for (std::size_t host = 1; host < list.hosts.size(); ++host) {
    const auto url = "redis://" + std::string(list.hosts[host]);
    const auto parsed = urls::parse_uri(url);
    if (parsed.has_error()) refuse("has a host that is none");
    out.push_back(read_place(*parsed, false, sentinel_port));
  }
  return out;
}

/// As sentinels take it.
bool is_service(const std::string& name) {
  return !name.empty() && name.size() <= 128 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

void check_sentinels(const client_params& p, bool by_sentinels) {
  using scalekit::detail::require;
  if (!by_sentinels) {
    require(p.service.empty(), "client_params.service", "\"" + p.service + "\"",
            "empty, unless the URL is one of sentinels");
    return;
  }
  require(is_service(p.service), "client_params.service", "\"" + p.service + "\"",
          "1 to 128 letters, digits, '.', '-' and '_': as the sentinels call the master");
  require(p.sentinel_username.empty() || !p.sentinel_password.empty(),
          "client_params.sentinel_password", "empty", "given with sentinel_username");
}

}  // namespace

std::string target::name() const {
  if (sentinels.empty()) return where.name();
  std::string text = params.service;
  for (const auto& each : sentinels) text += (text == params.service ? "@" : ",") + each.name();
  return text;
}

std::string place::name() const {
  if (!path.empty()) return path;
  const auto shown = host.find(':') == host.npos ? host : "[" + host + "]";
  return shown + ":" + std::to_string(port);
}

target target_from_url(std::string_view url, client_params params) {
  const auto list = split_hosts(url);
  const auto first = list.url_of(0);
  const auto parsed = urls::parse_uri(first);
  if (parsed.has_error()) refuse("is none");
  const urls::url_view u = *parsed;
  const std::string scheme = u.scheme();
  const bool is_unix = scheme == "redis+unix";
  const bool by_sentinels = scheme == "redis+sentinel" || scheme == "rediss+sentinel";
  const bool is_protected = scheme == "rediss" || scheme == "rediss+sentinel";
  if (scheme != "redis" && !is_protected && !is_unix && !by_sentinels) {
    refuse("has another scheme");
  }
  if (u.has_fragment()) refuse("has a fragment");
  if (list.hosts.size() > 1 && !by_sentinels) refuse("names several hosts");

  auto where = read_place(u, is_unix, by_sentinels ? sentinel_port : server_port);
  std::vector<place> sentinels;
  if (by_sentinels) {
    sentinels = read_others(list);
    sentinels.insert(sentinels.begin(), where);
  }
  read_login(u, params);
  if (!is_unix) read_database(u, params);
  if (u.has_query()) {
    settings_origins ignored;
    const auto query = u.encoded_query();
    client_settings().set_from_query(params, {query.data(), query.size()}, "the Redis URL",
                                     ignored);
  }
  client_settings().validate(params);
  validate(params.reconnect, "client_params.reconnect");
  scalekit::detail::require(is_client_name(params.client_name), "client_params.client_name",
                            "\"" + params.client_name + "\"",
                            "up to 128 printable ASCII characters without blanks");
  scalekit::detail::require(params.tls.certificate_file.empty() == params.tls.key_file.empty(),
                            "client_params.tls.key_file", "\"" + params.tls.key_file + "\"",
                            "given with certificate_file, or neither");
  check_sentinels(params, by_sentinels);
  return {std::move(where), std::move(sentinels), is_protected, std::move(params)};
}

}  // namespace scalekit::redis::detail

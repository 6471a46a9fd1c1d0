#include <scalekit/core/settings_file.hpp>

#include <cstdio>
#include <string>
#include <string_view>

//[smallest
#include <scalekit/http/limit_headers.hpp>
#include <scalekit/limit.hpp>

namespace limit = scalekit::limit;
using namespace std::chrono_literals;

limit::limiter make_limiter() {
  return limit::limiter({.rules = {
                             {.name = "ip", .by = {"ip"}, .limit = 100, .per = 1s},
                             {.name = "login",
                              .by = {"user"},
                              .limit = 5,
                              .per = 1min,
                              .only_if = {{"endpoint", "POST /login"}}},
                         }});
}

int login(limit::limiter& limiter, std::string_view remote, std::string_view name) {
  auto d = limiter.check({limit::ip(remote), limit::user(name), limit::endpoint("POST /login")});
  for (const auto& h : scalekit::http::limit_headers(d)) {
    std::printf("%s: %s\n", h.name.c_str(), h.value.c_str());
  }
  return scalekit::http::limit_status(d);
}
//]

//[client
limit::ip_address client_of(std::string_view socket_peer, std::string_view x_forwarded_for) {
  static const std::vector<std::string> own_proxies{"10.0.0.0/8", "fd00::/8"};
  static const auto trusted = limit::trusted_networks(own_proxies);
  auto peer = limit::ip_address::parse(socket_peer).value();
  return limit::client_address(peer, x_forwarded_for, trusted);
}
//]

//[cost
bool upload(limit::limiter& bytes_per_user, int user, std::uint32_t size) {
  if (!bytes_per_user.check({limit::user(user)}, size).allowed()) return false;
  bool stored = size != 13;  // whatever the host does with the bytes
  if (!stored) bytes_per_user.refund({limit::user(user)}, size);
  return stored;
}
//]

//[settings
limit::limiter limiter_from(scalekit::settings_file& file, scalekit::settings_origins& origins) {
  limit::rule login{.name = "login", .by = {"user"}, .limit = 5};
  file.apply("login_limit", limit::rule_settings(), login, origins);
  return limit::limiter({.rules = {login}});
}
//]

//[hard
limit::rule never_more_than_100_a_minute() {
  return {.name = "hard", .by = {"user"}, .limit = 50, .per = 1min, .burst = 50};
}
//]

int main() {
  auto limiter = make_limiter();
  for (int i = 0; i < 5; ++i) {
    if (login(limiter, "192.0.2.1:4711", "anna") != 200) return 1;
  }
  if (login(limiter, "192.0.2.1:4711", "anna") != 429) return 1;
  if (login(limiter, "192.0.2.1:4711", "bert") != 200) return 1;
  if (client_of("10.0.0.1", "1.1.1.1, 203.0.113.7").to_string() != "203.0.113.7") return 1;

  limit::limiter bytes({.rules = {{.name = "bytes", .by = {"user"}, .limit = 1000, .per = 1h}}});
  if (!upload(bytes, 1, 900) || upload(bytes, 1, 900) || upload(bytes, 1, 13)) return 1;
  if (!upload(bytes, 1, 100)) return 1;

  auto file = scalekit::settings_file::parse(R"({"login_limit": {"limit": 7}})", "shop.json");
  scalekit::settings_origins origins;
  if (limiter_from(file, origins).rules()[0].limit != 7) return 1;

  limit::limiter hard({.rules = {never_more_than_100_a_minute()}});
  return hard.check({limit::user(1)}).allowed() ? 0 : 1;
}

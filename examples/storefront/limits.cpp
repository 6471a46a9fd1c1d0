#include "limits.hpp"

#include <scalekit/http/limit_headers.hpp>
#include <scalekit/limit/client_address.hpp>

#include <boost/json/object.hpp>

#include <array>

namespace storefront {

namespace limit = scalekit::limit;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

std::vector<limit::ip_network> our_proxies() {
  // Only a proxy on this machine may say whom it speaks for; everybody else could lie.
  const std::array<std::string, 2> networks{"127.0.0.1/32", "::1/128"};
  return limit::trusted_networks(networks);
}

//[rules
limit::limiter_params client_rules(const options& settings) {
  return {.rules = {
              {.name = "client", .by = {"ip"}, .limit = settings.client_rate, .per = seconds(1)}}};
}

limit::limiter_params login_rules() {
  return {.rules = {{.name = "login-address", .by = {"ip"}, .limit = 20, .per = minutes(1)},
                    {.name = "login-user", .by = {"user"}, .limit = 5, .per = minutes(1)}}};
}
//]

}  // namespace

limits::limits(const options& settings)
    : proxies_(our_proxies()), clients_(client_rules(settings)), logins_(login_rules()) {}

void limits::identify(request& who) const {
  auto peer = limit::ip_address::parse(who.peer());
  if (!peer) return;
  const auto forwarded_for = who.header_list("X-Forwarded-For");
  who.address = limit::client_address(*peer, forwarded_for, proxies_);
}

boost::json::object limits::to_json() const {
  auto add = [](const limit::limiter& limiter) {
    auto stats = limiter.stats();
    return boost::json::object{{"forgotten_keys", stats.forgotten_keys},
                               {"overflowed", stats.overflowed},
                               {"memory_bytes", limiter.memory_bytes()}};
  };
  return {{"client", add(clients_)}, {"login", add(logins_)}};
}

problem too_many_requests(const limit::decision& refusal) {
  return problem(429, "too-many-requests", "over the limit \"" + refusal.by->name + "\"")
      .with_headers(scalekit::http::limit_headers(refusal));
}

}  // namespace storefront

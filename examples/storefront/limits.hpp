#pragma once

#include "http/message.hpp"
#include "http/problem.hpp"
#include "options.hpp"

#include <scalekit/limit/limiter.hpp>

namespace storefront {

/// Who may ask how often.
class limits {
 public:
  explicit limits(const options& settings);

  /// Fills request::client: the socket's peer, or whom our own reverse proxy says it speaks for.
  void identify(request& who) const;

  /// Every request is counted under its client.
  scalekit::limit::decision check_client(const request& who) {
    return clients_.check({scalekit::limit::ip(who.address)});
  }

  /// Guessing passwords is limited for the guesser and for the account: a botnet has many
  /// addresses, and one address may try many accounts. Both are charged, or neither.
  scalekit::limit::decision check_login(const request& who, std::string_view user) {
    return logins_.check({scalekit::limit::ip(who.address), scalekit::limit::user(user)});
  }

  /// A login that succeeded was no guess.
  void forget_login(const request& who, std::string_view user) {
    logins_.refund({scalekit::limit::ip(who.address), scalekit::limit::user(user)});
  }

  boost::json::object to_json() const;

 private:
  std::vector<scalekit::limit::ip_network> proxies_;
  scalekit::limit::limiter clients_;
  scalekit::limit::limiter logins_;
};

/// 429 with everything that a client needs to behave better.
problem too_many_requests(const scalekit::limit::decision& refusal);

}  // namespace storefront

#include "scalekit/limit/client_address.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using scalekit::limit::client_address;
using scalekit::limit::ip_address;
using scalekit::limit::trusted_networks;

TEST_CASE("X-Forwarded-For is believed from the right, as far as trusted proxies vouch for it") {
  const std::vector<std::string> own{"10.0.0.0/8", "fd00::/8"};
  const auto trusted = trusted_networks(own);
  struct row {
    const char* situation;
    const char* peer;
    const char* forwarded_for;
    const char* client;
  };
  const row rows[] = {
      {"no proxy, no header", "203.0.113.7", "", "203.0.113.7"},
      {"no proxy, a forged header", "203.0.113.7", "1.1.1.1", "203.0.113.7"},
      {"one proxy", "10.0.0.1", "203.0.113.7", "203.0.113.7"},
      {"two proxies", "10.0.0.1", "203.0.113.7, 10.0.0.2", "203.0.113.7"},
      {"one proxy, forged entries", "10.0.0.1", "1.1.1.1, 10.9.9.9, 203.0.113.7", "203.0.113.7"},
      {"ports and brackets", "10.0.0.1", "[2001:db8::5]:443,10.0.0.2:80", "2001:db8::5"},
      {"a proxy with an IPv6 address", "fd00::1", "203.0.113.7", "203.0.113.7"},
      {"a mapped proxy address", "::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"},
      {"only proxies", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
      {"a proxy without the header", "10.0.0.1", "", "10.0.0.1"},
      {"garbage next to the proxy", "10.0.0.1", "203.0.113.7, unknown", "10.0.0.1"},
      {"garbage behind a second proxy", "10.0.0.1", "unknown, 10.0.0.2", "10.0.0.2"},
      {"an empty entry", "10.0.0.1", "203.0.113.7,,10.0.0.2", "10.0.0.2"},
  };

  for (const auto& r : rows) {
    CAPTURE(r.situation);
    auto peer = ip_address::parse(r.peer).value();
    CHECK(client_address(peer, r.forwarded_for, trusted).to_string() == r.client);
  }
}

TEST_CASE("a header of a million proxies is not walked to its end") {
  const std::vector<std::string> own{"10.0.0.0/8"};
  std::string forwarded_for = "203.0.113.7";
  for (int i = 0; i < 1'000'000; ++i) forwarded_for += ",10.0.0.2";

  auto client = client_address(ip_address::v4({10, 0, 0, 1}), forwarded_for, trusted_networks(own));

  CHECK(client.to_string() == "10.0.0.2");
}

TEST_CASE("a trusted network that cannot be read is a configuration error that names it") {
  const std::vector<std::string> own{"10.0.0.0/8", "10.0.0.0/64"};

  CHECK_THROWS_WITH_AS(trusted_networks(own),
                       "trusted_networks: \"10.0.0.0/64\" is no network; legal: such as 10.0.0.0/8 "
                       "or fd00::/8",
                       std::invalid_argument);
}

#include "scalekit/limit/ip_address.hpp"

#include "scalekit/limit/identity.hpp"

#include <doctest/doctest.h>

#include <string>

using scalekit::errc;
using scalekit::limit::ip_address;
using scalekit::limit::ip_network;
using namespace std::string_literals;
namespace limit = scalekit::limit;

TEST_CASE("addresses are read as sockets and proxies write them") {
  struct row {
    std::string text;
    std::string address;
  };
  const row rows[] = {
      {"192.0.2.1", "192.0.2.1"},
      {"192.0.2.1:8080", "192.0.2.1"},
      {" 192.0.2.1\t", "192.0.2.1"},
      {"2001:DB8:0:0::1", "2001:db8::1"},
      {"[2001:db8::1]", "2001:db8::1"},
      {"[2001:db8::1]:443", "2001:db8::1"},
      {"fe80::1%eth0", "fe80::1"},
      {"[fe80::1%eth0]:443", "fe80::1"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"[::ffff:c000:201]:1", "192.0.2.1"},
      {"::", "::"},
  };

  for (const auto& r : rows) {
    CAPTURE(r.text);
    auto address = ip_address::parse(r.text);
    REQUIRE(address.has_value());
    CHECK(address->to_string() == r.address);
  }
}

TEST_CASE("what is no address is a typed error that does not repeat the text") {
  const std::string garbage[] = {
      "",
      "unknown",
      "_hidden",
      "256.1.1.1",
      "1.2.3",
      "1.2.3.4:",
      "1.2.3.4:65536",
      "1.2.3.4:x",
      "1.2.3.4%eth0",
      "[1.2.3.4]",
      "[::1",
      "[::1]443",
      "::1::",
      "01.2.3.4.5",
      "1.2.3.4\0x"s,
      "localhost",
      "1.2.3.4, ::1",
      std::string(100, '1'),
      std::string(1'000'000, ':'),
  };

  for (const auto& text : garbage) {
    CAPTURE(text.substr(0, 20));
    auto address = ip_address::parse(text);
    REQUIRE(address.has_error());
    CHECK(address.error().code() == errc::invalid_argument);
    if (text.size() > 8) {
      CHECK(address.error().diag().client_message.find(text) == std::string::npos);
    }
  }
}

TEST_CASE("a network holds the addresses that share its prefix") {
  struct row {
    const char* network;
    const char* address;
    bool inside;
  };
  const row rows[] = {
      {"10.0.0.0/8", "10.255.1.2", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.9.9.9/8", "10.0.0.1", true},
      {"192.0.2.128/25", "192.0.2.127", false},
      {"192.0.2.1", "192.0.2.1", true},
      {"192.0.2.1", "192.0.2.2", false},
      {"0.0.0.0/0", "203.0.113.7", true},
      {"0.0.0.0/0", "::1", false},
      {"2001:db8::/33", "2001:db8:7fff::", true},
      {"2001:db8::/33", "2001:db8:8000::", false},
      {"::/0", "2001:db8::1", true},
      {"10.0.0.0/8", "::ffff:10.1.1.1", true},
  };

  for (const auto& r : rows) {
    CAPTURE(r.network);
    CAPTURE(r.address);
    auto network = ip_network::parse(r.network).value();
    CHECK(network.contains(ip_address::parse(r.address).value()) == r.inside);
  }
  for (const char* bad : {"10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "/8", "x/8"}) {
    CAPTURE(bad);
    CHECK(ip_network::parse(bad).has_error());
  }
}

TEST_CASE("IPv6 clients count by their /64, IPv4 clients by their address") {
  auto bytes = [](const char* text) { return std::string{limit::ip(text).bytes()}; };

  CHECK(bytes("2001:db8:1:2::1") == bytes("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  CHECK(bytes("2001:db8:1:2::1") != bytes("2001:db8:1:3::1"));
  CHECK(bytes("192.0.2.1:5") == bytes("::ffff:192.0.2.1"));
  CHECK(bytes("192.0.2.1") != bytes("192.0.2.2"));
  auto address = ip_address::parse("2001:db8::1").value();
  CHECK(limit::ip(address, 48).bytes() != limit::ip(address, 64).bytes());
  CHECK_THROWS_AS(limit::ip("nonsense"), const scalekit::error&);
}

TEST_CASE("a number and its digits are one identity") {
  CHECK(limit::user(42).bytes() == "42");
  CHECK(limit::user(~std::uint64_t{0}).bytes() == "18446744073709551615");
  CHECK(limit::user(-1).bytes() == limit::user(~std::uint64_t{0}).bytes());
  auto copy = limit::user(7);
  auto moved = copy;
  CHECK(moved.bytes() == "7");
}

TEST_CASE("the name of a kind has 1 to 16 bytes") {
  CHECK_NOTHROW(limit::kind{"0123456789abcdef"});
  CHECK(limit::kind{"ab"} != limit::kind{"ba"});
  CHECK_THROWS_AS(limit::kind{""}, const std::invalid_argument&);
  CHECK_THROWS_AS(limit::kind{"0123456789abcdef0"}, const std::invalid_argument&);
  CHECK_THROWS_AS(limit::kind{std::string_view("a\0", 2)}, const std::invalid_argument&);
}

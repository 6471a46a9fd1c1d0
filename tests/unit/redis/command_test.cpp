#include "scalekit/redis/command.hpp"

#include "scalekit/core/error.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

using namespace scalekit;
using namespace scalekit::redis;

namespace {

std::string wire_of(command c) {
  return std::string(redis::detail::to_request(std::move(c)).wire());
}

}  // namespace

TEST_CASE("a command is an array of its name and its arguments") {
  CHECK(wire_of(command("PING")) == "*1\r\n$4\r\nPING\r\n");
  CHECK(wire_of(command("GET", "key")) == "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n");
  CHECK(wire_of(command("SET", std::string("k"), std::string_view("v"), "EX", 30)) ==
        "*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n$2\r\nEX\r\n$2\r\n30\r\n");
}

TEST_CASE("arguments are any bytes") {
  using namespace std::string_literals;
  const auto hostile = "a b\r\n$3\r\n\0*"s;

  CHECK(wire_of(command("GET", hostile)) == "*2\r\n$3\r\nGET\r\n$11\r\n"s + hostile + "\r\n");
  CHECK(wire_of(command("GET", "")) == "*2\r\n$3\r\nGET\r\n$0\r\n\r\n");
  const std::array bytes{std::byte{0}, std::byte{255}};
  CHECK(wire_of(command("GET", std::span<const std::byte>(bytes))) ==
        "*2\r\n$3\r\nGET\r\n$2\r\n\0\xff\r\n"s);
}

TEST_CASE("numbers are written so that they read back as the same") {
  CHECK(wire_of(command("X", -7, 18446744073709551615ull)) ==
        "*3\r\n$1\r\nX\r\n$2\r\n-7\r\n$20\r\n18446744073709551615\r\n");
  CHECK(wire_of(command("X", 0.1)) == "*2\r\n$1\r\nX\r\n$3\r\n0.1\r\n");
  CHECK(wire_of(command("X", std::uint8_t{65})) == "*2\r\n$1\r\nX\r\n$2\r\n65\r\n");
}

TEST_CASE("a range is an argument for each of its elements, two for a pair") {
  const std::vector<std::string> keys{"a", "b"};
  CHECK(wire_of(command("MGET", keys)) == "*3\r\n$4\r\nMGET\r\n$1\r\na\r\n$1\r\nb\r\n");

  const std::map<std::string, int> values{{"a", 1}, {"b", 2}};
  CHECK(wire_of(command("MSET", values)) ==
        "*5\r\n$4\r\nMSET\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n");

  command many("DEL");
  for (int i = 0; i < 100000; ++i) many.add("k");
  CHECK(many.size() == 100001);
  CHECK(wire_of(std::move(many)).starts_with("*100001\r\n$3\r\nDEL\r\n$1\r\nk\r\n"));
}

TEST_CASE("a name is one word") {
  for (const char* name : {"", "CLIENT LIST", "GET\r\n", "\x80"}) {
    try {
      const command c(name, "secret");
      FAIL("accepted");
    } catch (const error& e) {
      CHECK(e.code() == errc::invalid_argument);
      CHECK(std::string(e.what()).find("secret") == std::string::npos);
    }
  }
  CHECK_THROWS_AS(command(std::string(65, 'X')), error);
  CHECK_NOTHROW(command(std::string(64, 'X')));
  CHECK_NOTHROW(command("TS.ADD"));
}

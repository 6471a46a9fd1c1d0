#include "redis/command_table.hpp"

#include "scalekit/redis/command.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

using namespace scalekit;
using namespace scalekit::redis;

namespace {

redis::detail::request request_of(command c) {
  return redis::detail::to_request(std::move(c));
}

errc refusal_of(command c) {
  try {
    redis::detail::to_request(std::move(c));
  } catch (const error& e) {
    return static_cast<errc>(e.code().value());
  }
  return {};
}

}  // namespace

TEST_CASE("what only reads may be repeated, what is not known may not") {
  CHECK(request_of(command("GET", "k")).is_read);
  CHECK(request_of(command("get", "k")).is_read);
  CHECK(request_of(command("ZRANGE", "k", 0, -1)).is_read);
  CHECK(request_of(command("SCRIPT", "LOAD", "return 1")).is_read);
  for (const char* name : {"SET", "INCR", "DEL", "EVAL", "EVALSHA", "GETDEL", "SPOP", "SORT",
                           "ZRANGESTORE", "FLUSHALL", "NOSUCH.COMMAND"}) {
    INFO(name);
    CHECK_FALSE(request_of(command(name, "k")).is_read);
  }
  CHECK_FALSE(request_of(command("SCRIPT", "FLUSH")).is_read);
}

TEST_CASE("what waits in the server is told by its name, or by BLOCK") {
  CHECK(request_of(command("BLPOP", "q", 0)).blocks);
  CHECK(request_of(command("bzpopmin", "q", 0)).blocks);
  CHECK(request_of(command("XREAD", "COUNT", 1, "block", 0, "STREAMS", "s", "$")).blocks);
  CHECK_FALSE(request_of(command("XREAD", "COUNT", 1, "STREAMS", "BLOCK", "$")).blocks);
  CHECK(
      request_of(command("XREADGROUP", "GROUP", "g", "c", "BLOCK", 5, "STREAMS", "s", ">")).blocks);
  CHECK_FALSE(request_of(command("LPOP", "q")).blocks);
}

TEST_CASE("what would change a shared connection is refused, and says what to use instead") {
  for (const char* name : {"SUBSCRIBE", "psubscribe", "MULTI", "EXEC", "WATCH", "SELECT", "AUTH",
                           "HELLO", "RESET", "QUIT", "MONITOR", "SYNC"}) {
    INFO(name);
    CHECK(refusal_of(command(name, "x")) == errc::not_allowed);
  }
  CHECK(refusal_of(command("CLIENT", "REPLY", "OFF")) == errc::not_allowed);
  CHECK(refusal_of(command("CLIENT", "TRACKING", "ON")) == errc::not_allowed);
  CHECK(refusal_of(command("CLIENT", "list")) == errc{});
  CHECK(refusal_of(command("SCRIPT", "DEBUG", "YES")) == errc::not_allowed);
  CHECK(refusal_of(command("WAIT", 1, 100)) == errc::not_supported);
  try {
    request_of(command("WATCH", "secret"));
    FAIL("accepted");
  } catch (const error& e) {
    CHECK(e.diag().client_message.find("redis::transaction") != std::string::npos);
    CHECK(e.diag().client_message.find("secret") == std::string::npos);
  }
}

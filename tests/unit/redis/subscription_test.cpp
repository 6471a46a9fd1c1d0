#include "redis/subscription.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace scalekit::redis;
using detail::subscription;
using heard = detail::subscription::heard;

namespace {

reply words(std::vector<std::string> all) {
  reply r{.kind = reply_kind::array};
  for (auto& each : all) r.elements.push_back({.kind = reply_kind::text, .text = std::move(each)});
  return r;
}

}  // namespace

TEST_CASE("it subscribes to all, and is complete once all hold") {
  subscription s({.channels = {"a", "b"}, .patterns = {"c.*"}});

  CHECK(s.bytes() ==
        "*3\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n$1\r\nb\r\n*2\r\n$10\r\nPSUBSCRIBE\r\n$3\r\nc.*\r\n");
  CHECK(s.take(words({"subscribe", "a", "1"})) == heard::nothing);
  CHECK(s.take(words({"message", "a", "early"})) == heard::nothing);
  CHECK(s.take(words({"subscribe", "b", "2"})) == heard::nothing);
  CHECK(s.take(words({"psubscribe", "c.*", "3"})) == heard::complete);
  REQUIRE(s.messages().size() == 1);
  CHECK(subscription::message_in(s.messages().front())->payload == "early");
  s.messages().clear();

  CHECK(s.take(words({"pong", ""})) == heard::nothing);
  CHECK(s.take(words({"pmessage", "c.*", "c.d", "text"})) == heard::message);
  const auto m = subscription::message_in(s.messages().front());
  REQUIRE(m);
  CHECK(m->channel == "c.d");
  CHECK(m->payload == "text");
  CHECK(m->pattern == "c.*");
}

TEST_CASE("a refusal says why") {
  subscription s({.channels = {"a"}});

  CHECK(s.take({.kind = reply_kind::error, .text = "NOPERM no access to a channel"}) ==
        heard::refused);
  CHECK(s.why() == "subscribing was refused: NOPERM no access to a channel");
}

TEST_CASE("what is neither is nothing") {
  subscription s({.channels = {"a"}});

  CHECK(s.take({}) == heard::nothing);
  CHECK(s.take({.kind = reply_kind::array}) == heard::nothing);
  CHECK(s.take(words({"message", "a"})) == heard::nothing);
}

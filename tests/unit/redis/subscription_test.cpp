#include "redis/subscription.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
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
  CHECK(s.take({.kind = reply_kind::error, .text = "NOPERM no PING"}) == heard::nothing);
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

TEST_CASE("it tracks keys by the connection that hears of them") {
  subscription s({.channels = {"a"}, .tracked_prefixes = {"p:", "q"}});

  CHECK(s.bytes() == "*2\r\n$6\r\nCLIENT\r\n$2\r\nID\r\n");
  CHECK(s.take({.kind = reply_kind::integer, .integer = 17}) == heard::more);
  CHECK(s.bytes() ==
        "*10\r\n$6\r\nCLIENT\r\n$8\r\nTRACKING\r\n$2\r\nON\r\n$8\r\nREDIRECT\r\n$2\r\n17\r\n"
        "$5\r\nBCAST\r\n$6\r\nPREFIX\r\n$2\r\np:\r\n$6\r\nPREFIX\r\n$1\r\nq\r\n"
        "*2\r\n$9\r\nSUBSCRIBE\r\n$20\r\n__redis__:invalidate\r\n"
        "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n");
  CHECK(s.take({.kind = reply_kind::status, .text = "OK"}) == heard::nothing);
  CHECK(s.take(words({"subscribe", "__redis__:invalidate", "1"})) == heard::nothing);
  CHECK(s.take(words({"subscribe", "a", "2"})) == heard::complete);

  auto some = words({"message", "__redis__:invalidate", ""});
  some.elements[2] = words({"p:1", std::string("q\0", 2)});
  CHECK(s.take(std::move(some)) == heard::message);
  auto all = words({"message", "__redis__:invalidate", ""});
  all.elements[2] = {};
  CHECK(s.take(std::move(all)) == heard::message);
  CHECK(s.take(words({"message", "__redis__:invalidate", "published"})) == heard::message);
  CHECK(s.take(words({"message", "a", "1"})) == heard::message);

  const auto& m = s.messages();
  REQUIRE(m.size() == 4);
  CHECK(subscription::changes_in(m[0])->keys ==
        std::vector<std::string_view>{"p:1", std::string_view("q\0", 2)});
  CHECK_FALSE(subscription::changes_in(m[0])->is_everything);
  CHECK_FALSE(subscription::message_in(m[0]));
  CHECK(subscription::changes_in(m[1])->is_everything);
  CHECK_FALSE(subscription::changes_in(m[2]));
  CHECK(subscription::message_in(m[2])->payload == "published");
  CHECK_FALSE(subscription::changes_in(m[3]));
}

TEST_CASE("a server that does not track keys refuses") {
  subscription s({.tracked_prefixes = {"p:"}});

  SUBCASE("at once") {}
  SUBCASE("later") {
    CHECK(s.take({.kind = reply_kind::integer, .integer = 17}) == heard::more);
  }
  CHECK(s.take({.kind = reply_kind::error, .text = "ERR unknown subcommand"}) == heard::refused);
  CHECK(s.why() == "subscribing was refused: ERR unknown subcommand");
}

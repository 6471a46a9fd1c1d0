#include "redis/sentinel_words.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace scalekit::redis;
using namespace scalekit::redis::detail;

namespace {

reply text(std::string what) {
  return {.kind = reply_kind::text, .text = std::move(what)};
}

reply refused(std::string what) {
  return {.kind = reply_kind::error, .text = std::move(what)};
}

reply array(const std::vector<std::string>& texts) {
  reply r{.kind = reply_kind::array};
  for (const auto& each : texts) r.elements.push_back(text(each));
  return r;
}

std::string name_of(const std::optional<place>& p) {
  return p ? p->name() : "none";
}

const reply good{.kind = reply_kind::status, .text = "OK 3 usable Sentinels."};

}  // namespace

TEST_CASE("a sentinel is asked for the master, and whether it could make another one") {
  CHECK(sentinel_question("shop") ==
        "*3\r\n$8\r\nSENTINEL\r\n$23\r\nGET-MASTER-ADDR-BY-NAME\r\n$4\r\nshop\r\n"
        "*3\r\n$8\r\nSENTINEL\r\n$8\r\nCKQUORUM\r\n$4\r\nshop\r\n");
  CHECK(sentinel_listen("shop") ==
        "*3\r\n$8\r\nSENTINEL\r\n$23\r\nGET-MASTER-ADDR-BY-NAME\r\n$4\r\nshop\r\n"
        "*2\r\n$9\r\nSUBSCRIBE\r\n$14\r\n+switch-master\r\n");
}

TEST_CASE("what is an address, and what is none") {
  struct row {
    reply said;
    std::string address;
  };
  const row rows[] = {
      {array({"10.0.0.9", "6379"}), "10.0.0.9:6379"},
      {array({"::1", "6379"}), "[::1]:6379"},
      {array({"db.internal", "1"}), "db.internal:1"},
      {array({"", "6379"}), "none"},
      {array({"10.0.0.9", "0"}), "none"},
      {array({"10.0.0.9", "65536"}), "none"},
      {array({"10.0.0.9", "6379x"}), "none"},
      {array({"10.0.0.9", ""}), "none"},
      {array({"10.0. 0.9", "6379"}), "none"},
      {array({std::string(254, 'h'), "6379"}), "none"},
      {array({std::string("a\0b", 3), "6379"}), "none"},
      {array({"10.0.0.9"}), "none"},
      {array({"10.0.0.9", "6379", "more"}), "none"},
      {text("10.0.0.9"), "none"},
      {{.kind = reply_kind::array, .elements = {text("h"), {.kind = reply_kind::integer}}}, "none"},
      {{}, "none"},
  };
  for (const auto& row : rows) CHECK(name_of(read_address(row.said)) == row.address);
}

TEST_CASE("what a sentinel says of a service") {
  SUBCASE("a master") {
    const auto word = read_word(array({"10.0.0.9", "6379"}), good);
    CHECK(name_of(word.master) == "10.0.0.9:6379");
    CHECK(word.has_quorum);
  }
  SUBCASE("a master, and that there is no quorum") {
    const auto word =
        read_word(array({"10.0.0.9", "6379"}), refused("NOQUORUM 1 usable Sentinels."));
    CHECK(word.master.has_value());
    CHECK_FALSE(word.has_quorum);
    CHECK(word.why == "NOQUORUM 1 usable Sentinels.");
  }
  SUBCASE("a master, and that we may not ask for the quorum") {
    const auto word = read_word(array({"10.0.0.9", "6379"}), refused("NOPERM no"));
    CHECK(word.has_quorum);
  }
  SUBCASE("that it does not know it") {
    const auto word = read_word({}, refused("ERR No such master with that name"));
    CHECK(word.is_unknown);
    CHECK_FALSE(word.master);
  }
  SUBCASE("that it is no sentinel; what it quotes is cut") {
    const auto word = read_word(refused("ERR unknown command 'SENTINEL', with args"), refused("x"));
    CHECK_FALSE(word.is_unknown);
    CHECK(word.why.starts_with("ERR unknown command"));
    CHECK(word.why.find("SENTINEL") == word.why.npos);
  }
  SUBCASE("nonsense") {
    CHECK(read_word(array({"10.0.0.9", "x"}), good).why == "what it says is no address");
  }
}

TEST_CASE("the news of another master is heard, for its own service") {
  const auto said = [](const std::string& channel, const std::string& payload) {
    return name_of(read_switch(array({"message", channel, payload}), "shop"));
  };
  CHECK(said("+switch-master", "shop 10.0.0.1 6379 10.0.0.2 6380") == "10.0.0.2:6380");
  CHECK(said("+switch-master", "other 10.0.0.1 6379 10.0.0.2 6380") == "none");
  CHECK(said("+switch-master", "shop 10.0.0.1 6379 10.0.0.2") == "none");
  CHECK(said("+switch-master", "shop 10.0.0.1 6379 10.0.0.2 6380 more") == "none");
  CHECK(said("+switch-master", "shop 10.0.0.1 6379 10.0.0.2 x") == "none");
  CHECK(said("+switch-master", "") == "none");
  CHECK(said("+sdown", "shop 10.0.0.1 6379 10.0.0.2 6380") == "none");
  CHECK(name_of(read_switch(array({"subscribe", "+switch-master"}), "shop")) == "none");
  CHECK(name_of(read_switch({}, "shop")) == "none");
}

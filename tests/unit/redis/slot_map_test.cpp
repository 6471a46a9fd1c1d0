#include "redis/slot_map.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace scalekit::redis;
using scalekit::redis::detail::place;
using scalekit::redis::detail::redirect_from;
using scalekit::redis::detail::slot_map_from;

namespace {

const place asked{.path = {}, .host = "10.0.0.1", .port = 7000};

reply number(std::int64_t n) {
  return {.kind = reply_kind::integer, .integer = n};
}

reply text(std::string t) {
  return {.kind = reply_kind::text, .text = std::move(t)};
}

reply list(std::vector<reply> elements) {
  return {.kind = reply_kind::array, .elements = std::move(elements)};
}

reply node(std::string host, std::int64_t port) {
  return list({text(std::move(host)), number(port), text("id"), list({})});
}

reply range(std::int64_t first, std::int64_t last, std::vector<reply> nodes) {
  std::vector<reply> all{number(first), number(last)};
  for (auto& each : nodes) all.push_back(std::move(each));
  return list(std::move(all));
}

}  // namespace

TEST_CASE("a map says who has what, masters with several ranges once") {
  const auto map = slot_map_from(
      list({range(0, 99, {node("10.0.0.2", 1), node("10.0.0.3", 2), node("::1", 3)}),
            range(200, 16383, {node("10.0.0.2", 1), node("10.0.0.3", 2), node("::1", 3)}),
            range(100, 100, {node("a.example", 65535)})}),
      asked);

  REQUIRE(map.has_value());
  REQUIRE(map->shards.size() == 2);
  CHECK(map->shards[0].master.name() == "10.0.0.2:1");
  REQUIRE(map->shards[0].replicas.size() == 2);
  CHECK(map->shards[0].replicas[1].name() == "[::1]:3");
  CHECK(map->shards[1].master.name() == "a.example:65535");
  CHECK(map->shards[1].replicas.empty());
  REQUIRE(map->ranges.size() == 3);
  CHECK(map->ranges[1].first == 200);
  CHECK(map->ranges[1].last == 16383);
  CHECK(map->ranges[1].shard == 0);
  CHECK(map->ranges[2].shard == 1);
}

TEST_CASE("a node without a host is where the asked one is") {
  const auto nil = list({reply{}, number(7001)});
  const auto map = slot_map_from(list({range(0, 1, {node("", 7000)}), range(2, 3, {nil})}), asked);

  REQUIRE(map.has_value());
  CHECK(map->shards[0].master.name() == "10.0.0.1:7000");
  CHECK(map->shards[1].master.name() == "10.0.0.1:7001");
}

TEST_CASE("what is no map is refused, and nothing of it is shown") {
  const auto good = node("h", 1);
  const std::vector<reply> bad{
      reply{},
      text("secret"),
      list({}),
      list({text("secret")}),
      list({list({})}),
      list({list({number(0), number(1)})}),
      list({range(-1, 1, {good})}),
      list({range(0, 16384, {good})}),
      list({range(5, 4, {good})}),
      list({list({text("secret"), number(1), good})}),
      list({range(0, 5, {good}), range(5, 9, {good})}),
      list({range(0, 5, {text("secret")})}),
      list({range(0, 5, {list({text("secret")})})}),
      list({range(0, 5, {list({number(1), number(1)})})}),
      list({range(0, 5, {list({text("secret"), text("1")})})}),
      list({range(0, 5, {node("secret", 0)})}),
      list({range(0, 5, {node("secret", 65536)})}),
      list({range(0, 5, {node("secret", -1)})}),
      list({range(0, 5, {node("sec ret", 1)})}),
      list({range(0, 5, {node(std::string("secret\0x", 8), 1)})}),
      list({range(0, 5, {node("sec/ret", 1)})}),
      list({range(0, 5, {node("?", 1)})}),
      list({range(0, 5, {node(std::string(256, 's'), 1)})}),
      list({range(0, 5, {good, node("secret", 0)})}),
      list({range(0, 5, std::vector<reply>(5000, good))}),
  };
  for (std::size_t i = 0; i < bad.size(); ++i) {
    INFO(i);
    const auto map = slot_map_from(bad[i], asked);
    REQUIRE_FALSE(map.has_value());
    CHECK(std::string(map.error().what()).find("sec") == std::string::npos);
  }
}

TEST_CASE("a redirect names a slot and a place") {
  struct row {
    std::string said;
    std::string to;
    std::uint16_t slot;
  };
  for (const auto& row :
       {row{"3999 127.0.0.1:6381", "127.0.0.1:6381", 3999}, row{"0 a.example:1", "a.example:1", 0},
        row{"16383 ::1:65535", "[::1]:65535", 16383}, row{"1 :7001", "10.0.0.1:7001", 1}}) {
    INFO(row.said);
    const auto r = redirect_from(row.said, asked);
    REQUIRE(r);
    CHECK(r->slot == row.slot);
    CHECK(r->to.name() == row.to);
  }
  for (const std::string said :
       {"", "3999", "x 127.0.0.1:1", "16384 127.0.0.1:1", "-1 127.0.0.1:1", "1 127.0.0.1",
        "1 127.0.0.1:", "1 127.0.0.1:0", "1 127.0.0.1:65536", "1 127.0.0.1:1x", "1 a b:1",
        "1 user@host:1", "1 ?:1", "1  :1"}) {
    INFO(said);
    CHECK_FALSE(redirect_from(said, asked));
  }
}

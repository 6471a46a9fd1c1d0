#include "redis/cluster_url.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <string>

using namespace scalekit::redis;
using namespace scalekit::redis::detail;
using namespace std::chrono_literals;

namespace {

std::string refusal(std::string_view url, client_params params = {}) {
  try {
    cluster_target_from_url(url, std::move(params));
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a cluster's URL names some of its nodes, and what holds for all") {
  const auto to = cluster_target_from_url(
      "redis+cluster://app:p%40ss%2C@10.0.0.9,a.example:7000,[::1]:7001/?timeout=250ms", {});

  REQUIRE(to.seeds.size() == 3);
  CHECK(to.seeds[0].name() == "10.0.0.9:6379");
  CHECK(to.seeds[1].name() == "a.example:7000");
  CHECK(to.seeds[2].name() == "[::1]:7001");
  CHECK(to.params.username == "app");
  CHECK(to.params.password == "p@ss,");
  CHECK(to.params.timeout == 250ms);
  CHECK_FALSE(to.is_protected);
  CHECK(to.name() == "cluster 10.0.0.9:6379,a.example:7000,[::1]:7001");
  CHECK(cluster_target_from_url("rediss+cluster://h", {}).is_protected);
}

TEST_CASE("only these two schemes are a cluster's") {
  CHECK(is_cluster_url("redis+cluster://h"));
  CHECK(is_cluster_url("rediss+cluster://h"));
  CHECK_FALSE(is_cluster_url("redis://h"));
  CHECK_FALSE(is_cluster_url("redis+unix:///h"));
  CHECK_FALSE(is_cluster_url("redis+cluster:/h"));
}

TEST_CASE("a cluster has database 0 only, and every node a host and a port") {
  CHECK(refusal("redis+cluster://h/0") == "accepted");
  CHECK(refusal("redis+cluster://h/1").find("database 0 only") != std::string::npos);
  CHECK(refusal("redis+cluster://h", {.database = 2}).find("database 0") != std::string::npos);
  CHECK(refusal("redis+cluster://h?database=3").find("database 0") != std::string::npos);
  for (const char* url :
       {"redis+cluster://", "redis+cluster://h,", "redis+cluster://,h", "redis+cluster://h:0",
        "redis+cluster://h:1,i:65536", "redis+cluster://user@h", "redis+cluster://h/x",
        "redis+cluster://h#f", "redis+cluster://h?nonsense=1"}) {
    INFO(url);
    CHECK(refusal(url) != "accepted");
  }
  CHECK(refusal("redis+cluster://:secret@h:0").find("secret") == std::string::npos);
}

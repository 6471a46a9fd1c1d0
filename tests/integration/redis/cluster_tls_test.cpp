#include "failure.hpp"
#include "loop.hpp"
#include "scalekit/redis.hpp"
#include "support/redis/server.hpp"
#include "support/reserved_port.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <stdexcept>
#include <string>

using namespace redis_tests;
using scalekit::done;
using scalekit::errc;
using scalekit::redis::client;
using scalekit::redis::command;

TEST_CASE("a cluster is reached by TLS, its map too") {
  const support::reserved_port bus;
  // A cluster of one, which does not know its own address: that is the asked one's.
  support::redis::server node({.tls = true,
                               .more = {{"cluster-enabled", "yes"},
                                        {"cluster-port", std::to_string(bus.number())},
                                        {"tls-cluster", "yes"},
                                        {"tls-ca-cert-file", "server.crt"}}});
  node.ask({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"});
  REQUIRE(support::wait_until([&] {
    return node.ask({"CLUSTER", "INFO"}).find("cluster_state:ok") != std::string::npos;
  }));
  const auto url = "rediss+cluster://127.0.0.1:" + std::to_string(node.port());

  auto c = client::open(url + "?tls.ca_file=" + node.ca_file().string());
  c.call<done>(command("SET", "k", "v"));
  CHECK(c.async_call<std::string>(command("GET", "k"), asio::use_future).get() == "v");

  auto stranger = client::open(url + "?acquire_timeout=50ms");
  CHECK(failure_of([&] { stranger.call<done>(command("GET", "k")); }).code() == errc::unavailable);
  CHECK_THROWS_AS(client::open(url + "?tls.ca_file=/nowhere"), std::invalid_argument);
}

#include "failure.hpp"
#include "loop.hpp"
#include "scalekit/redis.hpp"
#include "support/redis/server.hpp"
#include "support/temp_directory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <utility>

using namespace redis_tests;
using namespace std::chrono_literals;
using scalekit::done;
using scalekit::errc;
using scalekit::redis::client;
using scalekit::redis::command;

TEST_CASE("by TLS the certificates of sentinels and servers are looked at, each for its own host") {
  const support::redis::server master({.tls = true});
  const support::redis::server sentinel(
      {.tls = true,
       .sentinel = {"sentinel monitor shop 127.0.0.1 " + std::to_string(master.port()) + " 1"}});
  const support::temp_directory directory;
  const auto both = directory.path() / "both.pem";
  std::ofstream(both) << std::ifstream(master.ca_file()).rdbuf()
                      << std::ifstream(sentinel.ca_file()).rdbuf();
  const auto trusting = [&](const std::string& ca_file) {
    return "rediss+sentinel://localhost:" + std::to_string(sentinel.port()) +
           "?service=shop&tls.ca_file=" + ca_file;
  };

  auto c = client::open(trusting(both));
  CHECK(c.call<int>(command("INCR", "n")) == 1);
  CHECK(c.async_call<int>(command("INCR", "n"), asio::use_future).get() == 2);

  for (const auto& [ca_file, part] :
       {std::pair(sentinel.ca_file(), "is 127.0.0.1:" + std::to_string(master.port())),
        std::pair(master.ca_file(), std::string("no sentinel says"))}) {
    auto wary = client::open(trusting(ca_file), {.acquire_timeout = 1s});
    const auto e = failure_of(wary.async_call<done>(command("PING"), asio::use_future));
    CHECK(e.code() == errc::unavailable);
    CHECK(support::contains(e.what(), part));
    CHECK(support::contains(e.what(), "its certificate was refused"));
  }
}

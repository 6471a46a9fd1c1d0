#include "failure.hpp"
#include "scalekit/redis.hpp"
#include "support/quiet_threads.hpp"
#include "support/redis/server.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

using namespace redis_tests;
using scalekit::errc;
using scalekit::redis::client;
using scalekit::redis::command;
namespace asio = boost::asio;

TEST_CASE(
    "a child of fork() is told, and disturbs its parent's connections neither by use nor end") {
  support::redis::server server;
  auto c = std::make_optional(client::open(server.url()));
  CHECK(c->call<std::string>(command("ECHO", "a")) == "a");
  CHECK(c->async_call<std::string>(command("ECHO", "b"), asio::use_future).get() == "b");

  support::wait_until_others_sleep();
  const auto child = fork();
  if (child == 0) {
    const auto e = failure_of([&] { return c->call<std::string>(command("ECHO", "c")); });
    c.reset();
    _exit(e.code() == errc::forked ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);

  CHECK(c->call<std::string>(command("ECHO", "d")) == "d");
  CHECK(c->async_call<std::string>(command("ECHO", "e"), asio::use_future).get() == "e");
  CHECK(c->statistics().dials == 2);
}

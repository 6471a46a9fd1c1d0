#include "scalekit/http/limit_headers.hpp"

#include "scalekit/limit.hpp"
#include "scalekit/testing/manual_clock.hpp"

#include <doctest/doctest.h>

namespace http = scalekit::http;
namespace limit = scalekit::limit;
using scalekit::testing::manual_clock;
using namespace std::chrono_literals;

TEST_CASE("an admitted call tells what remains, a refused one when to come back") {
  manual_clock clock;
  limit::limiter limiter({.rules = {{.name = "login", .by = {"user"}, .limit = 2, .per = 1min}}},
                         clock);

  auto first = limiter.check({limit::user(1)});
  limiter.check({limit::user(1)});
  clock.advance(1ns);
  auto refused = limiter.check({limit::user(1)});

  CHECK(http::limit_status(first) == 200);
  CHECK(http::limit_headers(first) == http::headers{{"RateLimit-Policy", "\"login\";q=2;w=60"},
                                                    {"RateLimit", "\"login\";r=1;t=30"},
                                                    {"X-RateLimit-Limit", "2"},
                                                    {"X-RateLimit-Remaining", "1"},
                                                    {"X-RateLimit-Reset", "30"}});
  CHECK(http::limit_status(refused) == 429);
  CHECK(http::limit_headers(refused) == http::headers{{"RateLimit-Policy", "\"login\";q=2;w=60"},
                                                      {"RateLimit", "\"login\";r=0;t=30"},
                                                      {"X-RateLimit-Limit", "2"},
                                                      {"X-RateLimit-Remaining", "0"},
                                                      {"X-RateLimit-Reset", "30"},
                                                      {"Retry-After", "30"}});
}

TEST_CASE("a client that waits the seconds it is told is admitted") {
  manual_clock clock;
  limit::limiter limiter({.rules = {{.name = "r", .limit = 1, .per = 1500ms}}}, clock);
  limiter.check({});
  auto refused = limiter.check({});

  auto told = http::limit_headers(refused).back();
  REQUIRE(told == http::header{"Retry-After", "2"});
  clock.advance(2s);

  CHECK(limiter.check({}).allowed());
}

TEST_CASE("windows that are no whole seconds are left out, bursts above the limit cut") {
  manual_clock clock;
  limit::limiter limiter({.rules = {{.name = "r", .limit = 1, .per = 1500ms, .burst = 10}}}, clock);

  auto told = http::limit_headers(limiter.check({}));

  CHECK(told[0].value == "\"r\";q=1");
  CHECK(told[1].value == "\"r\";r=1;t=2");
}

TEST_CASE("a call that never fits is told no time to retry") {
  limit::limiter limiter({.rules = {{.name = "r", .limit = 5, .per = 1s}}});
  auto d = limiter.check({}, 6);

  CHECK(http::limit_status(d) == 413);
  for (const auto& h : http::limit_headers(d)) CHECK(h.name != "Retry-After");
}

TEST_CASE("without a rule there is nothing to tell") {
  CHECK(http::limit_headers({}).empty());
  CHECK(http::limit_status({}) == 200);
}

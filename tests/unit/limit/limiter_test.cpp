#include "scalekit/limit/limiter.hpp"

#include "scalekit/testing/manual_clock.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace limit = scalekit::limit;
using limit::outcome;
using scalekit::testing::manual_clock;
using namespace std::chrono_literals;

namespace {

limit::rule per_user(std::uint64_t calls, std::chrono::nanoseconds per) {
  return {.name = "user", .by = {"user"}, .limit = calls, .per = per};
}

}  // namespace

TEST_CASE("a key is admitted up to its burst and told exactly when to come back") {
  manual_clock clock;
  limit::limiter limiter({.rules = {per_user(2, 1s)}}, clock);

  auto first = limiter.check({limit::user(1)});
  auto second = limiter.check({limit::user(1)});
  auto third = limiter.check({limit::user(1)});

  CHECK(first.allowed());
  CHECK(first.remaining == 1);
  CHECK(first.reset_after == 500ms);
  CHECK(first.by->name == "user");
  CHECK(second.allowed());
  CHECK(second.remaining == 0);
  CHECK(third.result == outcome::denied);
  CHECK(third.limit == 2);
  CHECK(third.retry_after == 500ms);
  CHECK(third.reset_after == 1s);

  clock.advance(third.retry_after - 1ns);
  CHECK(limiter.check({limit::user(1)}).retry_after == 1ns);
  clock.advance(1ns);
  CHECK(limiter.check({limit::user(1)}).allowed());
}

TEST_CASE("denied calls do not postpone the next admission") {
  manual_clock clock;
  limit::limiter limiter({.rules = {per_user(1, 1s)}}, clock);
  limiter.check({limit::user(1)});

  for (int i = 0; i < 999; ++i) {
    clock.advance(1ms);
    REQUIRE_FALSE(limiter.check({limit::user(1)}).allowed());
  }

  clock.advance(1ms);
  CHECK(limiter.check({limit::user(1)}).allowed());
}

TEST_CASE("keys are told apart by every byte, and by nothing else") {
  manual_clock clock;
  limit::limiter limiter({.rules = {per_user(1, 1h)}}, clock);
  using namespace std::string_literals;
  // Around every boundary of the hash's reads; contents that differ in the last byte or in length.
  std::vector<std::string> keys{""s, "\0"s, "\0\0"s, "a"s, "a\0"s, "\xff\xfe"s};
  for (std::size_t size = 1; size <= 70; ++size) {
    keys.emplace_back(size, 'k');
    keys.emplace_back(size, 'k').back() = 'l';
  }
  keys.emplace_back(1 << 20, 'x');

  for (const auto& key : keys) {
    CAPTURE(key.size());
    CHECK(limiter.check({limit::user(key)}).allowed());
  }
  for (const auto& key : keys) {
    CAPTURE(key.size());
    CHECK_FALSE(limiter.check({limit::user(std::string{key})}).allowed());
  }
}

TEST_CASE("the parts of a combined key do not run into each other") {
  manual_clock clock;
  limit::limiter limiter(
      {.rules = {{.name = "pair", .by = {"user", "endpoint"}, .limit = 1, .per = 1h}}}, clock);

  CHECK(limiter.check({limit::user("ab"), limit::endpoint("c")}).allowed());
  CHECK(limiter.check({limit::user("a"), limit::endpoint("bc")}).allowed());
  CHECK(limiter.check({limit::user("abc"), limit::endpoint("")}).allowed());
  CHECK_FALSE(limiter.check({limit::endpoint("c"), limit::user("ab")}).allowed());
}

TEST_CASE("a rule applies to the calls that carry what it counts by") {
  manual_clock clock;
  limit::limiter limiter({.rules = {{.name = "login",
                                     .by = {"user"},
                                     .limit = 1,
                                     .per = 1h,
                                     .only_if = {{"endpoint", "POST /login"}}},
                                    {.name = "all", .limit = 3, .per = 1h}}},
                         clock);
  auto login = [&] { return limiter.check({limit::user(1), limit::endpoint("POST /login")}); };

  CHECK(login().by->name == "login");
  CHECK(login().by->name == "login");
  auto other = limiter.check({limit::user(1), limit::endpoint("GET /")});
  auto anonymous = limiter.check({});
  auto exhausted = limiter.check({});

  CHECK(other.by->name == "all");
  CHECK(other.remaining == 1);
  CHECK(anonymous.allowed());
  CHECK(exhausted.result == outcome::denied);
  limit::limiter none({.rules = {per_user(1, 1s)}}, clock);
  CHECK(none.check({limit::ip("192.0.2.1")}).allowed());
  CHECK(none.check({limit::ip("192.0.2.1")}).by == nullptr);
}

TEST_CASE("a call refused by one rule consumes nothing under the others") {
  manual_clock clock;
  limit::limiter limiter({.rules = {{.name = "ip", .by = {"ip"}, .limit = 10, .per = 1h},
                                    {.name = "user", .by = {"user"}, .limit = 1, .per = 1h},
                                    {.name = "all", .limit = 10, .per = 1h}}},
                         clock);
  auto call = [&](int who) { return limiter.check({limit::ip("192.0.2.1"), limit::user(who)}); };
  REQUIRE(call(1).allowed());

  for (int i = 0; i < 100; ++i) {
    auto d = call(1);
    REQUIRE(d.result == outcome::denied);
    REQUIRE(d.by->name == "user");
  }

  for (int who = 2; who <= 10; ++who) CHECK(call(who).allowed());
  auto spent = call(11);
  CHECK(spent.result == outcome::denied);
}

TEST_CASE("of several refusals the longest wait is told, of several admissions the least left") {
  manual_clock clock;
  limit::limiter limiter({.rules = {{.name = "short", .by = {"ip"}, .limit = 1, .per = 1s},
                                    {.name = "long", .by = {"user"}, .limit = 1, .per = 1h},
                                    {.name = "wide", .limit = 50, .per = 1s}}},
                         clock);
  auto call = [&] { return limiter.check({limit::user(1), limit::ip("192.0.2.1")}); };

  auto admitted = call();
  auto refused = call();

  CHECK(admitted.by->name == "short");
  CHECK(refused.by->name == "long");
  CHECK(refused.retry_after == 1h);
}

TEST_CASE("a cost above the burst never fits, and says so instead of a time to retry") {
  manual_clock clock;
  limit::limiter limiter(
      {.rules = {{.name = "bytes", .by = {"user"}, .limit = 100, .per = 1s, .burst = 10, .cost = 2},
                 {.name = "all", .limit = 1000, .per = 1s}}},
      clock);

  auto whole = limiter.check({limit::user(1)}, 5);
  auto over = limiter.check({limit::user(2)}, 6);
  auto huge = limiter.check({limit::user(2)}, ~std::uint32_t{0});

  CHECK(whole.allowed());
  CHECK(whole.remaining == 0);
  CHECK(over.result == outcome::never_fits);
  CHECK(over.by->name == "bytes");
  CHECK(over.remaining == 10);
  CHECK(over.retry_after == 0ns);
  CHECK(huge.result == outcome::never_fits);
  CHECK(limiter.peek({}).remaining == 995);
}

TEST_CASE("peek and a cost of nothing consume nothing") {
  manual_clock clock;
  limit::limiter limiter({.rules = {per_user(2, 1s)}}, clock);

  for (int i = 0; i < 10; ++i) {
    CHECK(limiter.peek({limit::user(1)}).remaining == 2);
    CHECK(limiter.check({limit::user(1)}, 0).remaining == 2);
  }
  limiter.check({limit::user(1)}, 2);

  CHECK(limiter.peek({limit::user(1)}).result == outcome::denied);
  CHECK(limiter.check({limit::user(1)}, 0).allowed());
}

TEST_CASE("a refund gives back what was consumed, and no more than the burst") {
  manual_clock clock;
  limit::limiter limiter({.rules = {per_user(3, 1h)}}, clock);
  limiter.check({limit::user(1)}, 3);

  limiter.refund({limit::user(1)}, 2);
  CHECK(limiter.peek({limit::user(1)}).remaining == 2);
  limiter.refund({limit::user(1)}, 3);
  limiter.refund({limit::user(2)}, 3);

  CHECK(limiter.peek({limit::user(1)}).remaining == 3);
  CHECK(limiter.check({limit::user(2)}, 3).allowed());
  CHECK_FALSE(limiter.check({limit::user(2)}).allowed());
}

TEST_CASE("a call with two identities of a kind, or with too many, is a mistake") {
  limit::limiter limiter({.rules = {per_user(2, 1s)}});
  std::vector<limit::identity> many;
  for (char c = 'a'; c <= 'q'; ++c) many.emplace_back(limit::kind{std::string(1, c)}, "x");

  CHECK_THROWS_AS(limiter.check({limit::user(1), limit::user(2)}), const std::invalid_argument&);
  CHECK_THROWS_AS(limiter.check(many), const std::invalid_argument&);
  many.pop_back();
  CHECK(limiter.check(many).allowed());
}

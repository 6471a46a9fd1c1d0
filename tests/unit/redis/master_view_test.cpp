#include "redis/master_view.hpp"

#include <doctest/doctest.h>

using namespace scalekit::redis::detail;

namespace {

const place m1{.host = "m1"}, m2{.host = "m2"}, m3{.host = "m3"};

/// A client that is connected to m1.
master_view connected() {
  master_view v;
  v.found(m1);
  REQUIRE(v.confirmed(m1, v.term()));
  return v;
}

}  // namespace

TEST_CASE("the master is who has said so itself") {
  master_view v;
  v.found(m1);
  CHECK_FALSE(v.current());

  const auto is = v.confirmed(m1, 0);

  REQUIRE(is);
  CHECK(is->term == v.term());
  CHECK_FALSE(is->is_failover);
  CHECK(v.current() == m1);
}

TEST_CASE("news of another master ends the term once, however many bring it") {
  auto v = connected();
  const auto before = v.term();

  CHECK(v.announced(m2));
  CHECK_FALSE(v.announced(m2));

  CHECK(v.term() == before + 1);
  CHECK(v.current() == m1);
  CHECK(v.failovers() == 0);
  CHECK(v.announced(m3));
}

TEST_CASE("what is known already is no news") {
  auto v = connected();
  CHECK_FALSE(v.announced(m1));

  master_view before_the_first;
  CHECK_FALSE(before_the_first.announced(m1));
  before_the_first.found(m1);
  CHECK_FALSE(before_the_first.announced(m1));
  CHECK(before_the_first.announced(m2));
}

TEST_CASE("who was on the way to the old master is too late, even if that says it is one") {
  auto v = connected();
  const auto old = v.term();
  v.announced(m2);

  CHECK_FALSE(v.confirmed(m1, old));
  const auto is = v.confirmed(m2, v.term());

  REQUIRE(is);
  CHECK(is->is_failover);
  CHECK(v.current() == m2);
  CHECK(v.failovers() == 1);
}

TEST_CASE("a master that is found without any news ends the term of the old one") {
  auto v = connected();
  const auto old = v.term();

  const auto is = v.confirmed(m2, old);

  REQUIRE(is);
  CHECK(is->is_failover);
  CHECK(is->term > old);
  CHECK(v.term() == is->term);
  CHECK_FALSE(v.confirmed(m1, old));
}

TEST_CASE("several that come to the new master at once are all right") {
  auto v = connected();
  v.announced(m2);
  const auto found_in = v.term();

  const auto first = v.confirmed(m2, found_in);
  const auto second = v.confirmed(m2, found_in);

  REQUIRE(first);
  REQUIRE(second);
  CHECK(second->term == first->term);
  CHECK_FALSE(second->is_failover);
  CHECK(v.failovers() == 1);
}

TEST_CASE("who is doubted since is not believed, though it is the same server") {
  auto v = connected();
  const auto old = v.term();

  CHECK(v.suspected(old));

  CHECK_FALSE(v.suspected(old));
  CHECK_FALSE(v.confirmed(m1, old));
  const auto again = v.confirmed(m1, v.term());
  REQUIRE(again);
  CHECK_FALSE(again->is_failover);
}

TEST_CASE("the same false news can come again once a master was confirmed") {
  auto v = connected();
  CHECK(v.announced(m2));
  CHECK(v.confirmed(m1, v.term()));

  CHECK(v.announced(m2));
  CHECK(v.failovers() == 0);
}

#include "scalekit/adapters/cached.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;

TEST_CASE("the results of reads are never served stale, nor loaded behind a caller's back") {
  const scalekit::adapters::cached how({.type = "shelf",
                                        .ttl = 1min,
                                        .stale_for = 1h,
                                        .stale_while_refreshing = 1min,
                                        .refresh_ahead = 0.5},
                                       {"product"});

  CHECK(how.how().type == "shelf");
  CHECK(how.how().ttl == 1min);
  CHECK(how.how().stale_for == 0min);
  CHECK(how.how().stale_while_refreshing == 0min);
  CHECK(how.how().refresh_ahead == 0);
}

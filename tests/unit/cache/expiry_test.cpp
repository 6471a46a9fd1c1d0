#include "cache/expiry.hpp"

#include "scalekit/cache/policy.hpp"

#include <doctest/doctest.h>

using namespace scalekit::cache::detail;
using namespace std::chrono_literals;

TEST_CASE("jitter spreads a ttl evenly around its middle, and never to nothing") {
  CHECK(jittered(100s, 0.1, 0.0) == 90s);
  CHECK(jittered(100s, 0.1, 0.5) == 100s);
  CHECK(jittered(100s, 0.0, 0.9) == 100s);
  CHECK(jittered(1ms, 0.9, 0.0) == 1ms);
}

TEST_CASE("memory keeps a copy for its own ttl, but no longer than the value lives") {
  CHECK(in_memory(60s, 0s) == 60s);
  CHECK(in_memory(60s, 5s) == 5s);
  CHECK(in_memory(2s, 5s) == 2s);
}

TEST_CASE("what is left to live does not grow when the wall clock goes back") {
  struct row {
    std::int64_t created, fresh_until, expires, now;
    std::chrono::microseconds fresh, kept;
  };
  constexpr row rows[] = {
      {1000, 2000, 3000, 1500, 500us, 1500us},
      {1000, 2000, 3000, 2000, 0us, 1000us},
      {1000, 2000, 3000, 2600, -600us, 400us},  // stale
      {1000, 2000, 3000, 3000, 0us, 0us},
      {1000, 2000, 3000, 0, 1000us, 2000us},  // set back
      {1000, 3000, 3000, 1500, 1500us, 1500us},
      {1000, 1000, 1000, 1000, 0us, 0us},  // dead when it was written
      {3000, 1000, 1000, 500, 0us, 0us},
      {1000, 9000, 3000, 1500, 1500us, 1500us},  // never fresh beyond its end
  };

  for (const auto& r : rows) {
    const auto left = left_to_live(r.created, r.fresh_until, r.expires, r.now);
    INFO("now " << r.now << ", fresh until " << r.fresh_until);
    CHECK(left.fresh == r.fresh);
    CHECK(left.kept == r.kept);
  }
}

TEST_CASE("the presets keep what their names say for the times that are documented") {
  namespace ttl = scalekit::cache::ttl;

  CHECK(ttl::product.ttl == 30min);
  CHECK(ttl::user.ttl == 10min);
  CHECK(ttl::order.ttl == 5min);
  CHECK(ttl::dashboard.ttl == 2min);
  CHECK(ttl::reference.ttl == 1h);
  CHECK(ttl::query.ttl == 15min);
  CHECK(ttl::product.type == "product");
  CHECK(ttl::user.type == "user");
  CHECK(ttl::order.type == "order");
  CHECK(ttl::dashboard.type == "dashboard");
  CHECK(ttl::reference.type == "reference");
  CHECK(ttl::query.type == "query");
}

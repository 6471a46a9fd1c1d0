#include "cache/serving.hpp"

#include <doctest/doctest.h>

using namespace scalekit::cache;
using namespace scalekit::cache::detail;
using namespace std::chrono_literals;

namespace {

raw_lookup found(freshness what, std::chrono::milliseconds age, std::chrono::milliseconds left) {
  return {what, tier::memory, age, left};
}

raw_lookup fresh_for(std::chrono::milliseconds age) {
  return found(freshness::fresh, age, 60s - age);
}

raw_lookup stale_since(std::chrono::milliseconds since) {
  return found(freshness::stale, 60s + since, -since);
}

}  // namespace

TEST_CASE("what is served follows from the policy and from what was found") {
  const policy plain{.ttl = 60s};
  const policy ahead{.ttl = 60s, .refresh_ahead = 0.8};
  const policy patient{.ttl = 60s, .stale_for = 1h};
  const policy swift{.ttl = 60s, .stale_for = 1h, .stale_while_refreshing = 30s};
  const raw_lookup nothing;
  const auto absent = found(freshness::negative, 59s, 1s);

  struct row {
    const char* situation;
    const policy& how;
    raw_lookup found;
    serving otherwise;
    serving failed_of_late;
  };
  const row rows[] = {
      {"nothing", swift, nothing, serving::load, serving::load},
      {"absence", ahead, absent, serving::serve, serving::serve},
      {"new", plain, fresh_for(0s), serving::serve, serving::serve},
      {"old", plain, fresh_for(60s - 1ms), serving::serve, serving::serve},
      {"not yet due", ahead, fresh_for(48s - 1ms), serving::serve, serving::serve},
      {"due", ahead, fresh_for(48s), serving::serve_and_refresh, serving::serve},
      {"almost over", ahead, fresh_for(60s), serving::serve_and_refresh, serving::serve},
      {"a copy with less time than the value", ahead, found(freshness::fresh, 30s, 1s),
       serving::serve, serving::serve},
      {"kept for longer than the policy says", ahead, found(freshness::fresh, 50s, 50s),
       serving::serve, serving::serve},
      {"which is due then", ahead, found(freshness::fresh, 80s, 20s), serving::serve_and_refresh,
       serving::serve},
      {"stale, not wanted", plain, stale_since(0s), serving::load, serving::load},
      {"just stale", swift, stale_since(0s), serving::serve_and_refresh, serving::serve},
      {"still at once", swift, stale_since(30s - 1ms), serving::serve_and_refresh, serving::serve},
      {"no longer at once", swift, stale_since(30s), serving::load_or_serve, serving::serve},
      {"only if need be", patient, stale_since(0s), serving::load_or_serve, serving::serve},
      {"still so", patient, stale_since(1h - 1ms), serving::load_or_serve, serving::serve},
      {"too old", patient, stale_since(1h), serving::load, serving::load},
  };

  for (const auto& r : rows) {
    INFO(r.situation);
    CHECK(decide(r.how, r.found, false) == r.otherwise);
    CHECK(decide(r.how, r.found, true) == r.failed_of_late);
  }
}

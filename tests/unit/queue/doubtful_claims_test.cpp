#include "queue/doubtful_claims.hpp"

#include <doctest/doctest.h>

using namespace scalekit;
using namespace scalekit::queue::detail;
using namespace std::chrono_literals;
using queue::lease;

namespace {

const wall_time start = from_micros(1'750'000'000'000'000);

std::vector<claimed_job> claimed(std::int64_t sequence) {
  return {{.held = {.job = 1, .sequence = sequence, .nonce = 7},
           .queue = {},
           .kind = {},
           .payload = {},
           .past = {}}};
}

lease held(std::int64_t sequence) {
  return {.job = 1, .sequence = sequence, .nonce = 7};
}

}  // namespace

TEST_CASE("doubtful claims are given back again and again for an hour") {
  doubtful_claims doubtful;
  CHECK(doubtful.list(start).empty());

  doubtful.add(claimed(1), start);
  doubtful.add(claimed(2), start + 30min);

  CHECK(doubtful.list(start + 1h - 1us) == std::vector<lease>{held(1), held(2)});
  CHECK(doubtful.list(start + 1h) == std::vector<lease>{held(2)});
  CHECK(doubtful.list(start + 2h).empty());
}

TEST_CASE("doubtful claims are not kept for ever by a clock that was set back") {
  doubtful_claims doubtful;
  doubtful.add(claimed(1), start);

  CHECK(doubtful.list(start - 30min).size() == 1);
  CHECK(doubtful.list(start - 2h).empty());
}

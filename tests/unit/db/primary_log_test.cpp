#include "db/topology/primary_log.hpp"

#include <doctest/doctest.h>

using namespace scalekit;
using namespace std::chrono_literals;
using db::detail::lsn;
using db::detail::primary_log;

namespace {

time_point at(std::chrono::nanoseconds t) {
  return time_point{} + 1h + t;
}

}  // namespace

TEST_CASE("who has replayed what the primary last said has no lag") {
  primary_log log;
  CHECK(log.lag({100}, at(0s)) == std::nullopt);
  log.add(at(1s), {100});
  log.add(at(2s), {200});

  CHECK(log.lag({200}, at(2s)) == 0s);
  CHECK(log.lag({250}, at(2s)) == 0s);
}

TEST_CASE("lag is how long the primary was known to be further") {
  primary_log log;
  for (unsigned t = 0; t <= 10; ++t) log.add(at(t * 1s), {t * 100});

  CHECK(log.lag({999}, at(10s)) == 0s);
  CHECK(log.lag({900}, at(10s)) == 0s);
  CHECK(log.lag({899}, at(10s)) == 1s);
  CHECK(log.lag({450}, at(10s)) == 5s);
  CHECK(log.lag({450}, at(8s)) == 3s);
}

TEST_CASE("a primary that writes nothing for hours is no lag, and the next write none at once") {
  primary_log log;
  for (unsigned t = 0; t < 7200; ++t) log.add(at(t * 1s), {100});

  CHECK(log.lag({100}, at(7199s)) == 0s);
  CHECK(log.fresh_as_of({100}) == at(7199s));

  log.add(at(7200s), {200});
  CHECK(log.lag({100}, at(7200s)) == 0s);
  log.add(at(7201s), {200});
  CHECK(log.lag({100}, at(7201s)) == 1s);
}

TEST_CASE("the lag of a standby does not grow for the primary's silence") {
  primary_log log;
  log.add(at(1s), {100});
  log.add(at(1200ms), {200});

  CHECK(log.lag({150}, at(1300ms)) == 0s);
  CHECK(log.lag({90}, at(60s)) == 200ms);
}

TEST_CASE("freshness is proven only back to the last entry that was replayed") {
  primary_log log;
  CHECK(log.fresh_as_of({100}) == std::nullopt);
  log.add(at(1s), {100});
  log.add(at(2s), {200});
  log.add(at(3s), {300});

  CHECK(log.fresh_as_of({99}) == std::nullopt);
  CHECK(log.fresh_as_of({100}) == at(1s));
  CHECK(log.fresh_as_of({299}) == at(2s));
  CHECK(log.fresh_as_of({900}) == at(3s));
}

TEST_CASE("late answers do not turn the log back") {
  primary_log log;
  log.add(at(2s), {200});

  log.add(at(1s), {100});
  log.add(at(3s), {150});
  log.add(at(4s), {0});

  CHECK(log.fresh_as_of({199}) == std::nullopt);
  CHECK(log.fresh_as_of({200}) == at(2s));
}

TEST_CASE("a long history is kept sparsely: an hour of lag is still about one") {
  primary_log log;
  for (unsigned t = 0; t <= 7200; ++t) log.add(at(t * 1s), {t * 100 + 1});

  CHECK(log.lag({720'000}, at(7200s)) == 0s);
  CHECK(log.lag({719'000}, at(7200s)) == 10s);
  const auto hour = log.lag({360'000}, at(7200s));
  CHECK(hour <= 60min);
  CHECK(hour >= 50min);
  CHECK(log.fresh_as_of({360'000}) <= at(60min));
  CHECK(log.fresh_as_of({360'000}) >= at(50min));
}

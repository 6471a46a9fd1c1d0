#include "slow/log_budget.hpp"

#include <doctest/doctest.h>

using namespace scalekit;
using namespace scalekit::slow;
using namespace std::chrono_literals;

TEST_CASE("a second's worth passes at once, then as time goes by") {
  const time_point start{1h};
  log_budget budget(2);

  CHECK(budget.ask(start).admitted);
  CHECK(budget.ask(start).admitted);
  CHECK_FALSE(budget.ask(start).admitted);
  CHECK_FALSE(budget.ask(start + 499ms).admitted);
  auto next = budget.ask(start + 500ms);
  CHECK(next.admitted);
  CHECK(next.suppressed == 2);
  CHECK_FALSE(budget.ask(start + 501ms).admitted);
}

TEST_CASE("times out of order add nothing") {
  const time_point start{1h};
  log_budget budget(1);
  budget.ask(start);

  CHECK_FALSE(budget.ask(start - 10s).admitted);
  CHECK_FALSE(budget.ask(start).admitted);
  CHECK(budget.ask(start + 1s).admitted);
}

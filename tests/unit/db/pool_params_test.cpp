#include "scalekit/db/pool_params.hpp"

#include "scalekit/db/client_settings.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using scalekit::db::client_params;
using scalekit::db::pool_params;

namespace {

std::string fault(const pool_params& params) {
  try {
    validate(params);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("the presets of a pool are legal and have the sizes of their names") {
  const auto small = pool_params::small();
  const auto medium = pool_params::medium();
  const auto large = pool_params::large();

  for (const auto& preset : {small, medium, large}) CHECK(fault(preset) == "");
  CHECK(small.min == 5);
  CHECK(small.max == 20);
  CHECK(medium.min == 10);
  CHECK(medium.max == 100);
  CHECK(large.min == 50);
  CHECK(large.max == 100);
  CHECK(client_params{}.pool.max == small.max);
}

TEST_CASE("pool settings that can never work are refused, naming field, value and range") {
  struct row {
    pool_params params;
    std::string text;
  };
  const std::vector<row> rows{
      {{.min = 0, .max = 0}, "pool_params.max is 0; legal: 1 to 10000"},
      {{.min = 30, .max = 20}, "pool_params.min is 30; legal: 0 to max (20)"},
      {{.create_timeout = 0s}, "pool_params.create_timeout is 0 ms; legal: 1 ms to 1 h"},
      {{.destroy_timeout = 2h}, "pool_params.destroy_timeout is 2 h; legal: 1 ms to 1 h"},
      {{.reap_interval = 0s}, "pool_params.reap_interval is 0 ms; legal: 1 ms to 1 h"},
      {{.max_dials = 0}, "pool_params.max_dials is 0; legal: 1 to 100"},
      {{.grow_above = 0.2, .shrink_below = 0.3},
       "pool_params.shrink_below is 0.300000; legal: less than grow_above (0.200000)"},
  };

  for (const auto& [params, text] : rows) CHECK(fault(params) == text);
}

TEST_CASE("pool settings are read by their names, from the URL of a client") {
  client_params params;
  scalekit::settings_origins origins;

  scalekit::db::client_settings().set_from_query(
      params,
      "pool.min=2&pool.max=8&pool.create_timeout=10s&pool.destroy_timeout=1s&"
      "pool.idle_timeout=1min&pool.reap_interval=2s&pool.create_retry_interval=100ms&"
      "pool.health_check_interval=0ms&pool.max_lifetime=2h&pool.max_dials=3&pool.adaptive=off&"
      "pool.grow_above=0.9&pool.shrink_below=0.1&pool.grow_after=1s&pool.shrink_after=1min&"
      "pool.shed_target=20ms&pool.shed_interval=1s&pool.leak_after=5s&pool.fleet_budget=true&"
      "max_waiting=7",
      "test", origins);

  const auto& p = params.pool;
  CHECK(p.min == 2);
  CHECK(p.max == 8);
  CHECK(p.create_timeout == 10s);
  CHECK(p.destroy_timeout == 1s);
  CHECK(p.idle_timeout == 1min);
  CHECK(p.reap_interval == 2s);
  CHECK(p.create_retry_interval == 100ms);
  CHECK(p.health_check_interval == 0s);
  CHECK(p.max_lifetime == 2h);
  CHECK(p.max_dials == 3);
  CHECK_FALSE(p.adaptive);
  CHECK(p.grow_above == 0.9);
  CHECK(p.shrink_below == 0.1);
  CHECK(p.grow_after == 1s);
  CHECK(p.shrink_after == 1min);
  CHECK(p.shed_target == 20ms);
  CHECK(p.shed_interval == 1s);
  CHECK(p.leak_after == 5s);
  CHECK(p.fleet_budget);
  CHECK(params.max_waiting == 7);
}

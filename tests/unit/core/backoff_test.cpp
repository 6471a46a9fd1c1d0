#include "scalekit/core/backoff.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using scalekit::backoff_bound;
using scalekit::backoff_delay;
using scalekit::backoff_kind;
using scalekit::backoff_params;
using scalekit::random_generator;

static_assert(std::uniform_random_bit_generator<random_generator>);

TEST_CASE("the bound of the pause grows as its kind says, up to the cap") {
  const backoff_params exponential{.base = 100ms, .cap = 1s};
  const backoff_params steep{.base = 10ms, .cap = 60s, .factor = 10};
  const backoff_params linear{.base = 100ms, .cap = 350ms, .kind = backoff_kind::linear};
  const backoff_params constant{.base = 5s, .cap = 60s, .factor = 1};
  struct row {
    const backoff_params& params;
    std::uint64_t failures;
    std::chrono::nanoseconds bound;
  };
  const std::array rows{
      row{exponential, 0, 0ms},   row{exponential, 1, 100ms}, row{exponential, 2, 200ms},
      row{exponential, 4, 800ms}, row{exponential, 5, 1s},    row{exponential, 64, 1s},
      row{steep, 3, 1s},          row{linear, 0, 0ms},        row{linear, 1, 100ms},
      row{linear, 3, 300ms},      row{linear, 4, 350ms},      row{constant, 1, 5s},
      row{constant, 100, 5s},
  };

  for (const auto& [params, failures, bound] : rows) {
    CAPTURE(failures);
    CHECK(backoff_bound(params, failures) == bound);
  }
}

TEST_CASE("no number of failures overflows the bound") {
  const backoff_params longest{.base = 720h, .cap = 720h, .factor = 10};
  const backoff_params linear{.base = 1ns, .cap = 720h, .kind = backoff_kind::linear};

  for (auto failures : {std::uint64_t{1000}, std::numeric_limits<std::uint64_t>::max()}) {
    CHECK(backoff_bound(longest, failures) == 720h);
    CHECK(backoff_bound({}, failures) == 30s);
    CHECK(backoff_delay({}, failures, std::numeric_limits<std::uint64_t>::max()) <= 30s);
  }
  CHECK(backoff_bound(linear, std::numeric_limits<std::uint64_t>::max()) == 720h);
}

TEST_CASE("a base of zero tries again at once, each time") {
  const backoff_params at_once{.base = 0ms};

  for (auto failures : {1u, 50u, 2000u}) CHECK(backoff_bound(at_once, failures) == 0ms);
}

TEST_CASE("full jitter spreads the pause evenly between zero and its bound") {
  const backoff_params params{.base = 1s, .cap = 1s};
  random_generator random(7);
  std::array<int, 10> tenths{};

  for (int i = 0; i < 10'000; ++i) {
    const auto delay = backoff_delay(params, 1, random);
    REQUIRE(delay >= 0s);
    REQUIRE(delay < 1s);
    ++tenths[static_cast<std::size_t>(delay / 100ms)];
  }

  for (int hits : tenths) {
    CHECK(hits > 850);
    CHECK(hits < 1150);
  }
}

TEST_CASE("the pause is a pure function of its arguments") {
  const backoff_params jittered{.base = 1s};
  const backoff_params whole{.base = 1s, .full_jitter = false};

  CHECK(backoff_delay(jittered, 3, 0) == 0s);
  CHECK(backoff_delay(jittered, 3, std::uint64_t{1} << 63) == 2s);
  CHECK(backoff_delay(jittered, 3, 12345) == backoff_delay(jittered, 3, 12345));
  CHECK(backoff_delay(whole, 3, 12345) == 4s);
}

TEST_CASE("settings out of range are refused by field, value and range") {
  struct row {
    backoff_params params;
    const char* message;
  };
  const std::array rows{
      row{{.base = -1ms}, "retry.base is -1 ms; legal: 0 ms to 2592000000 ms"},
      row{{.base = 2s, .cap = 1s}, "retry.cap is 1000 ms; legal: 2000 ms to 2592000000 ms"},
      row{{.factor = 0.5}, "retry.factor is 0.500000; legal: 1.000000 to 10.000000"},
      row{{.factor = std::numeric_limits<double>::quiet_NaN()},
          "retry.factor is nan; legal: 1.000000 to 10.000000"},
  };

  for (const auto& [params, message] : rows) {
    CHECK_THROWS_WITH_AS(validate(params, "retry"), message, std::invalid_argument);
  }
  CHECK_NOTHROW(validate(backoff_params{}));
}

TEST_CASE("the generator repeats splitmix64's published numbers for a seed") {
  random_generator random(1234567);

  CHECK(random() == 6457827717110365317u);
  CHECK(random() == 3203168211198807973u);
  CHECK(random() == 9817491932198370423u);
}

TEST_CASE("uniform() is in [0, 1)") {
  random_generator random(1);

  for (int i = 0; i < 1000; ++i) {
    const double u = random.uniform();
    CHECK(u >= 0);
    CHECK(u < 1);
  }
}

TEST_CASE("generators seeded by the system differ") {
  random_generator a;
  random_generator b;

  CHECK(a() != b());
}

TEST_CASE("threads that share a generator never get the same number") {
  random_generator random(1);
  std::array<std::vector<std::uint64_t>, 3> drawn;

  std::vector<std::thread> threads;
  for (auto& mine : drawn) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) mine.push_back(random());
    });
  }
  for (auto& t : threads) t.join();
  std::set<std::uint64_t> all;
  for (const auto& mine : drawn) all.insert(mine.begin(), mine.end());

  CHECK(all.size() == 15'000);
}

#include "scalekit/ops/zipf.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using scalekit::ops::zipf;

TEST_CASE("ranks come as often as the distribution says") {
  for (double exponent : {0.0, 0.5, 0.99, 1.0, 1.5, 3.0}) {
    CAPTURE(exponent);
    constexpr std::size_t n = 50;
    constexpr int draws = 200'000;
    std::mt19937_64 random(1);
    zipf sample(n, exponent);
    std::vector<double> weight(n);
    double sum = 0;
    for (std::size_t k = 0; k < n; ++k) {
      sum += weight[k] = std::pow(static_cast<double>(k + 1), -exponent);
    }

    std::vector<int> seen(n);
    for (int i = 0; i < draws; ++i) ++seen.at(sample(random));

    for (std::size_t k = 0; k < n; ++k) {
      CAPTURE(k);
      double expected = draws * weight[k] / sum;
      CHECK(std::abs(seen[k] - expected) < 5 * std::sqrt(expected) + 5);
    }
  }
}

TEST_CASE("one rank is always drawn, and a huge range stays in range") {
  std::mt19937_64 random(1);
  zipf one(1, 0.99);
  zipf huge(std::uint64_t{1} << 52U, 0.99);

  for (int i = 0; i < 1000; ++i) {
    CHECK(one(random) == 0);
    CHECK(huge(random) < huge.size());
  }
}

TEST_CASE("a zipf that cannot work is refused") {
  CHECK_THROWS_WITH(zipf(0, 1), "zipf.n is 0; legal: 1 to 2^52");
  CHECK_THROWS_AS(zipf(10, -0.1), std::invalid_argument);
  CHECK_THROWS_AS(zipf(10, NAN), std::invalid_argument);
}

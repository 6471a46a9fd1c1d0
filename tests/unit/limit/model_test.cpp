#include "scalekit/limit.hpp"
#include "scalekit/testing/manual_clock.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace limit = scalekit::limit;
using scalekit::testing::manual_clock;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

namespace {

/// A token bucket as a textbook writes it, in exact integers: tokens are counted in units of one
/// nanosecond of refill.
class model_bucket {
 public:
  model_bucket(std::int64_t interval, std::int64_t burst)
      : interval_(interval), full_(interval * burst), level_(full_) {}

  void pass(std::int64_t ns) { level_ = std::min(full_, level_ + ns); }
  bool has(std::int64_t units) const { return level_ >= units * interval_; }
  void take(std::int64_t units) { level_ -= units * interval_; }
  std::int64_t wait(std::int64_t units) const {
    return std::max<std::int64_t>(0, units * interval_ - level_);
  }
  std::uint64_t whole() const { return static_cast<std::uint64_t>(level_ / interval_); }

 private:
  std::int64_t interval_;
  std::int64_t full_;
  std::int64_t level_;
};

}  // namespace

TEST_CASE("any sequence of calls is decided as by exact token buckets, all or nothing") {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    auto up_to = [&](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
    manual_clock clock;
    std::vector<limit::rule> rules{
        {.name = "ip", .by = {"ip"}}, {.name = "user", .by = {"user"}}, {.name = "all"}};
    std::vector<std::map<std::int64_t, model_bucket>> models(rules.size());
    for (auto& r : rules) {
      r.limit = 1 + static_cast<std::uint64_t>(up_to(20));
      r.per = nanoseconds{1000 + up_to(2'000'000'000)};
      r.burst = 1 + static_cast<std::uint64_t>(up_to(30));
    }
    limit::limiter limiter({.rules = rules}, clock);

    for (int step = 0; step < 2000; ++step) {
      auto pause = up_to(3) == 0 ? up_to(400'000'000) : up_to(50);
      clock.advance(nanoseconds{pause});
      for (auto& keys : models) {
        for (auto& [key, bucket] : keys) bucket.pass(pause);
      }
      auto cost = up_to(4);
      const std::int64_t keys[] = {up_to(3), up_to(5), 0};
      std::vector<model_bucket*> asked;
      bool fits = true;
      bool expected = true;
      std::int64_t wait = 0;
      std::uint64_t remaining = ~std::uint64_t{0};
      for (std::size_t i = 0; i < rules.size(); ++i) {
        auto n = static_cast<std::int64_t>(rules[i].limit);
        model_bucket fresh((rules[i].per.count() + n - 1) / n,
                           static_cast<std::int64_t>(rules[i].burst));
        asked.push_back(&models[i].try_emplace(keys[i], fresh).first->second);
        fits &= static_cast<std::uint64_t>(cost) <= rules[i].burst;
        expected &= asked.back()->has(cost);
        wait = std::max(wait, asked.back()->wait(cost));
      }
      for (auto* bucket : asked) {
        if (expected) bucket->take(cost);
        remaining = std::min(remaining, bucket->whole());
      }

      auto d = limiter.check(
          {limit::ip(limit::ip_address::v4({10, 0, 0, static_cast<std::uint8_t>(keys[0])})),
           limit::user(keys[1])},
          static_cast<std::uint32_t>(cost));

      CAPTURE(step);
      REQUIRE((d.result == limit::outcome::never_fits) == !fits);
      REQUIRE(d.allowed() == expected);
      if (expected) REQUIRE(d.remaining == remaining);
      if (fits && !expected) REQUIRE(d.retry_after.count() == wait);
    }
  }
}

TEST_CASE("over any stretch of time no more than the burst plus the refill is admitted") {
  manual_clock clock;
  limit::limiter limiter({.rules = {{.name = "r", .by = {"user"}, .limit = 100, .per = 60s}}},
                         clock);
  std::mt19937_64 random(7);
  std::vector<std::int64_t> admitted;
  std::int64_t now = 0;

  while (now < 600'000'000'000) {
    auto pause = static_cast<std::int64_t>(random() % 300'000'000);
    clock.advance(nanoseconds{pause});
    now += pause;
    if (limiter.check({limit::user(1)}).allowed()) admitted.push_back(now);
  }

  std::size_t worst = 0;
  for (std::size_t first = 0, last = 0; last < admitted.size(); ++last) {
    while (admitted[last] - admitted[first] > 60'000'000'000) ++first;
    worst = std::max(worst, last - first + 1);
  }
  CHECK(worst > 150);
  CHECK(worst <= 200);
}

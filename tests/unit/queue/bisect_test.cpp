#include "queue/bisect.hpp"

#include <doctest/doctest.h>

#include <numeric>
#include <set>
#include <stdexcept>
#include <vector>

using scalekit::queue::detail::bisect;

namespace {

struct outcome_of_bisect {
  std::set<int> applied;
  std::vector<std::size_t> failed;
  int calls = 0;
};

outcome_of_bisect run(std::vector<int> items, const std::set<int>& bad) {
  outcome_of_bisect r;
  const auto failures = bisect(
      std::span<int>(items),
      [&](std::span<int> part) {
        ++r.calls;
        for (const int i : part) {
          if (bad.contains(i)) throw std::runtime_error("bad row");
        }
      },
      [&](std::span<int> part) { r.applied.insert(part.begin(), part.end()); },
      [](const std::exception_ptr&) { return false; });
  for (const auto& f : failures) r.failed.push_back(f.index);
  return r;
}

std::vector<int> numbers(int n) {
  std::vector<int> v(static_cast<std::size_t>(n));
  std::iota(v.begin(), v.end(), 0);
  return v;
}

}  // namespace

TEST_CASE("a batch without a bad row is one call") {
  const auto r = run(numbers(256), {});

  CHECK(r.calls == 1);
  CHECK(r.applied.size() == 256);
}

TEST_CASE("a bad row hinders no other, and is found in a few calls") {
  const auto r = run(numbers(256), {77});

  CHECK(r.failed == std::vector<std::size_t>{77});
  CHECK(r.applied.size() == 255);
  CHECK(r.calls <= 2 * 8 + 1);
}

TEST_CASE("every row may be bad") {
  const auto r = run(numbers(3), {0, 1, 2});

  CHECK(r.failed == std::vector<std::size_t>{0, 1, 2});
  CHECK(r.applied.empty());
}

TEST_CASE("nothing is nothing") {
  CHECK(run({}, {}).calls == 0);
}

TEST_CASE("trouble that is not a row's fault ends the whole at once") {
  auto items = numbers(8);
  int calls = 0;

  CHECK_THROWS_AS(bisect(
                      std::span<int>(items),
                      [&](std::span<int>) {
                        ++calls;
                        throw std::runtime_error("the database is away");
                      },
                      [](std::span<int>) {}, [](const std::exception_ptr&) { return true; }),
                  std::runtime_error);
  CHECK(calls == 1);
}

#include "scalekit/db/detail/transaction_attempts.hpp"

#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>

using namespace std::chrono_literals;
using scalekit::errc;
using scalekit::time_point;
using scalekit::db::transaction_options;
using scalekit::db::detail::transaction_attempts;

namespace {

constexpr std::uint64_t longest = ~std::uint64_t{0};
const time_point start{1h};

}  // namespace

TEST_CASE("pauses between attempts double, and the last failure has none") {
  const transaction_options options{.max_attempts = 4};
  transaction_attempts attempts(options, start);

  auto near = [](auto pause, auto wanted) { return pause > wanted - 1ms && pause <= wanted; };
  CHECK(near(*attempts.next(30s, start, longest), 10ms));
  CHECK(near(*attempts.next(30s, start, longest), 20ms));
  CHECK(attempts.next(30s, start, 0) == 0ns);
  CHECK(attempts.next(30s, start, longest) == std::nullopt);
  CHECK(attempts.failed() == 4);
}

TEST_CASE("an attempt has the time that is left, and none is made without") {
  const transaction_options own{.timeout = 1s};
  transaction_attempts a(own, start), b(own, start);

  CHECK(a.next(30s, start + 400ms, 0) == 0ns);
  CHECK(a.options().timeout == 600ms);
  CHECK(b.next(30s, start + 999ms, longest) == std::nullopt);

  const transaction_options none{};
  transaction_attempts c(none, start);
  CHECK_FALSE(c.options().timeout.has_value());
  CHECK(c.next(30s, start + 10s, 0) == 0ns);
  CHECK(c.options().timeout == 20s);
}

TEST_CASE("the number of attempts has a range") {
  CHECK_ERRC(transaction_attempts({.max_attempts = 0}, start), errc::invalid_argument);
  CHECK_ERRC(transaction_attempts({.max_attempts = 101}, start), errc::invalid_argument);
  const transaction_options once{.max_attempts = 1};
  transaction_attempts attempts(once, start);

  CHECK(attempts.next(30s, start, 0) == std::nullopt);
}

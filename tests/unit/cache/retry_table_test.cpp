#include "cache/retry_table.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace scalekit::cache::detail;

namespace {

const auto why = std::make_exception_ptr(std::runtime_error("no database"));

}  // namespace

TEST_CASE("a failed load is remembered until it may be tried again, or has succeeded") {
  retry_table table;
  CHECK(table.failure(1, 0) == nullptr);
  table.note(1, why, 0, 100);
  table.note(2, why, 0, 100);

  CHECK(table.failure(1, 0) == why);
  CHECK(table.failure(1, 99) == why);
  CHECK(table.failure(1, 100) == nullptr);
  CHECK(table.failure(3, 0) == nullptr);
  table.note(1, why, 100, 200);
  CHECK(table.failure(1, 150) == why);
  table.forget(2);
  CHECK(table.failure(2, 0) == nullptr);
}

TEST_CASE("keys that failed once and are asked for no more do not pile up") {
  retry_table table;
  for (std::int64_t now = 0; now < 100'000; ++now) {
    table.note(static_cast<std::uint64_t>(now), why, now, now + 100);
  }
  CHECK(table.size() <= 201);
}

TEST_CASE("however many keys fail at once, the table stays within its bound") {
  retry_table table;
  for (std::uint64_t key = 0; key < 4 * retry_table::most_in_part; ++key) {
    table.note(key, why, 0, 1'000'000);
    REQUIRE(table.size() <= retry_table::most_in_part);
  }
  CHECK(table.failure(4 * retry_table::most_in_part - 1, 0) == why);
}

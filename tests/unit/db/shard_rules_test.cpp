// Decisions of shards that need no database.

#include "db/shards/map_age.hpp"
#include "scalekit/db/detail/merge_rows.hpp"
#include "scalekit/db/detail/scatter_call.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace scalekit::db;
using scalekit::errc;
using scalekit::time_point;
using scalekit::db::detail::age_of;
using scalekit::db::detail::map_age;
using support::contains;

namespace {

using rows = std::vector<int>;
const std::function<bool(const int&, const int&)> up = std::less<int>();

rows merged(std::vector<rows> parts, std::size_t limit = 100) {
  return detail::merge_rows(parts, up, limit);
}

}  // namespace

TEST_CASE("parts in order are merged in order, up to the limit") {
  CHECK(merged({{1, 4, 7}, {2, 5}, {}, {3, 6, 8}}) == rows{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(merged({{1, 4, 7}, {2, 5}, {3}}, 3) == rows{1, 2, 3});
  CHECK(merged({{}, {}}) == rows{});
  CHECK(merged({}) == rows{});
}

TEST_CASE("of equal rows those of the first part come first, each in its own order") {
  using row = std::pair<int, std::string>;
  std::vector<std::vector<row>> parts{{{1, "a1"}, {1, "a2"}, {2, "a3"}}, {{1, "b1"}, {2, "b2"}}};

  const auto all = detail::merge_rows(
      parts, std::function<bool(const row&, const row&)>(ascending(&row::first)));

  std::string order;
  for (const auto& [number, name] : all) order += name;
  CHECK(order == "a1a2b1a3b2");
}

TEST_CASE("without an order the parts come one after the other") {
  std::vector<rows> parts{{3, 1}, {2}};
  const std::function<bool(const int&, const int&)> none;

  CHECK(detail::merge_rows(parts, none) == rows{3, 1, 2});
}

TEST_CASE("an order by members goes by the first that differs") {
  using row = std::pair<int, std::string>;
  const auto less = ascending(&row::first, &row::second);
  const auto more = descending(&row::first, &row::second);

  CHECK(less({1, "b"}, {2, "a"}));
  CHECK(less({1, "a"}, {1, "b"}));
  CHECK_FALSE(less({1, "a"}, {1, "a"}));
  CHECK_FALSE(less({2, "a"}, {1, "b"}));
  CHECK(more({2, "a"}, {1, "b"}));
  CHECK_FALSE(more({1, "a"}, {1, "a"}));
}

TEST_CASE("a map is looked up when it is due, and not used once its lease is over") {
  const shards_params params{.refresh = 1s, .lease = 30s};
  const time_point confirmed{100s};
  const auto next = confirmed + params.refresh;

  CHECK(age_of(confirmed, next, params, confirmed) == map_age::fresh);
  CHECK(age_of(confirmed, next, params, confirmed + 999ms) == map_age::fresh);
  CHECK(age_of(confirmed, next, params, confirmed + 1s) == map_age::due);
  CHECK(age_of(confirmed, confirmed + 5s, params, confirmed + 4s) == map_age::fresh);
  CHECK(age_of(confirmed, next, params, confirmed + 29999ms) == map_age::due);
  CHECK(age_of(confirmed, next, params, confirmed + 30s) == map_age::expired);
}

TEST_CASE("a read of all shards says what is wrong with its options") {
  const auto map = shard_map::by_hash({"a", "b"});
  const auto moving = map.with_move(shard_move{.id = "m1", .from = "a", .to = "b"});

  detail::check_scatter(map, 8, {}, false, false);
  detail::check_scatter(moving, 1024, 10, true, false);
  CHECK_ERRC(detail::check_scatter(map, 0, {}, false, false), errc::invalid_argument);
  CHECK_ERRC(detail::check_scatter(map, 1025, {}, false, false), errc::invalid_argument);
  CHECK_ERRC(detail::check_scatter(map, 8, 0, false, false), errc::invalid_argument);
  CHECK_ERRC(detail::check_scatter(map, 8, {}, false, true), errc::invalid_argument);
  const auto e = support::error_of([&] { detail::check_scatter(moving, 8, {}, false, false); });
  CHECK(e.code() == errc::not_allowed);
  CHECK(contains(e.what(), "'m1'"));
}

TEST_CASE("a failed read of all shards names those that failed, not those that were cancelled") {
  const auto e = detail::scatter_failure({{"b", scalekit::error(errc::unavailable, "down")},
                                          {"c", scalekit::error(errc::cancelled, "stopped")},
                                          {"d", scalekit::error(errc::execution_timeout, "slow")}},
                                         5);

  CHECK(e.code() == errc::unavailable);
  CHECK(contains(e.what(), "a read of 5 shards failed on 'b', 'd': down"));
}

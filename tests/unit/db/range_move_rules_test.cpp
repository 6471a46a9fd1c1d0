// Decisions of a move that need no database.

#include "db/shards/move_plan.hpp"
#include "db/shards/move_sql.hpp"
#include "db/shards/moved_row.hpp"
#include "db/shards/range_list.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace scalekit::db;
using namespace scalekit::db::detail;
using scalekit::errc;
using support::contains;

namespace {

using enum move_action;

/// The actions of a mover to which each succeeds at once, from this phase to the next.
std::vector<move_action> course_of(move_facts f) {
  std::vector<move_action> course;
  for (;;) {
    const auto action = next_action(f);
    course.push_back(action);
    switch (action) {
      case wait_lease:
        f.lease_is_over = true;
        break;
      case claim:
        f.claimed = true;
        break;
      case prepare:
        f.prepared = true;
        break;
      case copy_page:
        f.copied = true;
        break;
      case replay:
        f.caught_up = f.drained = true;
        break;
      case verify_page:
        f.verified = true;
        break;
      case fence:
        f.fenced = true;
        break;
      case lift:
        f.lifted = true;
        break;
      case release:
      case unfence:
        f.released = true;
        break;
      case delete_page:
      case clean_page:
        f.deleted = true;
        break;
      case begin_copying:
      case begin_switching:
      case switch_map:
      case forget:
        return course;
    }
  }
}

using actions = std::vector<move_action>;

}  // namespace

TEST_CASE("each phase of a move goes its way, whoever takes it up") {
  CHECK(course_of({.phase = move_phase::announced}) ==
        actions{wait_lease, claim, prepare, begin_copying});
  CHECK(course_of({.phase = move_phase::copying}) ==
        actions{claim, copy_page, replay, verify_page, begin_switching});
  CHECK(course_of({.phase = move_phase::switching}) == actions{claim, fence, replay, switch_map});
  CHECK(course_of({.phase = move_phase::switched}) ==
        actions{claim, lift, wait_lease, release, delete_page, forget});
  CHECK(course_of({.phase = move_phase::aborting}) == actions{claim, unfence, clean_page, forget});
}

TEST_CASE("a move never goes on over what is not done") {
  CHECK(next_action({.phase = move_phase::announced, .claimed = true, .prepared = true}) ==
        wait_lease);
  CHECK(next_action(
            {.phase = move_phase::copying, .claimed = true, .caught_up = true, .verified = true}) ==
        copy_page);
  CHECK(next_action(
            {.phase = move_phase::copying, .claimed = true, .copied = true, .verified = true}) ==
        replay);
  CHECK(next_action({.phase = move_phase::switching, .claimed = true, .drained = true}) == fence);
  CHECK(next_action({.phase = move_phase::switching, .claimed = true, .fenced = true}) == replay);
  CHECK(next_action(
            {.phase = move_phase::switched, .claimed = true, .lifted = true, .released = true}) ==
        wait_lease);
}

TEST_CASE("ranges are joined where they touch, and cut where they must not be") {
  const shard_range low{.to = 10}, mid{.from = 20, .to = 30}, high{.from = 40};
  const range_list three{low, mid, high};

  CHECK(with({}, mid) == range_list{mid});
  CHECK(with({high}, low) == range_list{low, high});
  CHECK(with({low, high}, mid) == three);
  CHECK(with(three, {.from = 10, .to = 20}) == range_list{{.to = 30}, high});
  CHECK(with(three, {.from = 5, .to = 50}) == range_list{{}});
  CHECK(with(three, {}) == range_list{{}});
  CHECK(without(three, {.from = 25, .to = 45}) ==
        range_list{low, {.from = 20, .to = 25}, {.from = 45}});
  CHECK(without(three, {.from = 22, .to = 24}) ==
        range_list{low, {.from = 20, .to = 22}, {.from = 24, .to = 30}, high});
  CHECK(without(three, {.from = 10, .to = 20}) == three);
  CHECK(without(three, {}) == range_list{});
  CHECK(parse_ranges(to_json(three)) == three);
  const range_list texts{{.to = "b"}, {.from = "x\"y", .to = "z"}};
  CHECK(parse_ranges(to_json(texts)) == texts);
}

TEST_CASE("bounds that are texts are quoted, and compared byte by byte") {
  const moved_table t{{"note", "tenant", {"id"}}, {"id", "tenant"}, {}};
  const shard_range range{.from = "o'hara", .to = "p\\"};

  CHECK(contains(move_sql(dialect::postgres, range).has_rows(t),
                 "scalekit_t.\"tenant\" collate \"C\" >= 'o''hara' and"
                 " scalekit_t.\"tenant\" collate \"C\" < 'p\\'"));
  CHECK(contains(move_sql(dialect::sqlite, range).has_rows(t),
                 "scalekit_t.\"tenant\" collate binary >= 'o''hara'"));
  CHECK(contains(move_sql(dialect::sqlite, {}).has_rows(t), "where ((true))"));
}

TEST_CASE("a table or a range of which no triggers can be made is refused") {
  CHECK_ERRC(check_movable(shard_table{std::string(41, 't'), "c", {"id"}}), errc::invalid_argument);
  CHECK_ERRC(check_movable(shard_table{"t", "", {"id"}}), errc::invalid_argument);
  CHECK_ERRC(check_movable(shard_table{"t", "c", {}}), errc::invalid_argument);
  CHECK_ERRC(check_movable(shard_table{"t", "c", {""}}), errc::invalid_argument);
  CHECK_ERRC(check_movable(shard_range{.from = "a$scalekit$; drop table t"}),
             errc::invalid_argument);
  check_movable(shard_table{"shop.note", "tenant", {"id"}});
}

TEST_CASE("how far a copy has come is stored as it was") {
  move_progress progress{.table = 2};
  progress.after.add(std::int64_t{-7});
  progress.after.add(std::string_view("o'hara \"x\""));

  const auto again = parse_progress(to_json(progress));

  CHECK(again.table == 2);
  REQUIRE(again.after.size() == 2);
  CHECK(again.after[0].integer() == -7);
  CHECK(again.after[1].text() == "o'hara \"x\"");
  progress.after.add(1.5);
  CHECK_ERRC(to_json(progress), errc::invalid_argument);
}

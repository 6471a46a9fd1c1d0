#include "db/sqlite/write_group.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace std::chrono_literals;
using scalekit::time_point;
using scalekit::db::sqlite::after_statement;
using scalekit::db::sqlite::statement_end;
using scalekit::db::sqlite::verdict;
using scalekit::db::sqlite::write_group;
using cause = statement_end::cause;

namespace {

constexpr time_point start{1h};
constexpr time_point ample = start + 5s;

}  // namespace

TEST_CASE("a group takes small writes until it has as many as it may") {
  write_group group(start);

  for (std::size_t i = 0; i < write_group::max_writes; ++i) {
    REQUIRE(group.admits(100, ample, start));
    group.add(100, ample, start);
  }

  CHECK_FALSE(group.admits(100, ample, start));
}

TEST_CASE("a group takes writes up to its bytes, and a first one that is larger runs alone") {
  write_group group(start);

  CHECK_FALSE(group.admits(write_group::max_bytes + 1, ample, start));
  CHECK(group.admits(write_group::max_bytes, ample, start));
  group.add(write_group::max_bytes - 10, ample, start);

  CHECK(group.admits(10, ample, start));
  CHECK_FALSE(group.admits(11, ample, start));
}

TEST_CASE("a group is closed to who comes after its time") {
  write_group group(start);
  group.add(1, ample, start);

  CHECK(group.admits(1, ample, start + write_group::open_for - 1ns));
  CHECK_FALSE(group.admits(1, ample, start + write_group::open_for));
}

TEST_CASE("a write without the time to run once more, alone, does not join") {
  write_group group(start);
  constexpr auto enough = 2 * write_group::max_statement;

  CHECK(group.admits(1, start + enough, start));
  CHECK_FALSE(group.admits(1, start + enough - 1ns, start));
  CHECK_FALSE(group.admits(1, start - 1s, start));
}

TEST_CASE("nobody joins who could take up the time in which a member would have to run alone") {
  write_group group(start);
  constexpr auto just_enough = 2 * write_group::max_statement;

  group.add(1, ample, start);
  CHECK(group.admits(1, ample, start + 1ms));
  group.add(1, start + just_enough, start);

  CHECK_FALSE(group.admits(1, ample, start + 1ns));
}

TEST_CASE("what a group does after a statement") {
  struct row {
    const char* situation;
    statement_end end;
    verdict expected;
  };
  const row table[] = {
      {"it succeeded", {}, verdict::go_on},
      {"it failed by itself", {.why = cause::failure}, verdict::go_on},
      {"it was cancelled before it began", {.why = cause::stopped}, verdict::go_on},
      {"it read, and its time was up", {.why = cause::out_of_time, .late = true}, verdict::go_on},
      {"it succeeded, and then its time was up", {.late = true}, verdict::go_on},
      {"or rollback", {.why = cause::failure, .transaction_open = false}, verdict::break_up},
      {"the disk is full", {.why = cause::failure, .transaction_open = false}, verdict::break_up},
      {"its file is doubtful", {.why = cause::failure, .suspect = true}, verdict::break_up},
      {"a deferred key does not hold", {.keys_open = true}, verdict::break_up},
      {"the same, after `or fail`", {.why = cause::failure, .keys_open = true}, verdict::break_up},
      {"cancelled half way",
       {.why = cause::stopped, .transaction_open = false},
       verdict::break_up_without},
      {"its own time was up half way",
       {.why = cause::out_of_time, .late = true, .transaction_open = false},
       verdict::break_up_without},
      {"it took longer than a group gives it",
       {.why = cause::out_of_time, .transaction_open = false},
       verdict::break_up_slow},
      {"the same, but it only read", {.why = cause::out_of_time}, verdict::break_up_slow},
  };

  for (const auto& r : table) {
    CAPTURE(r.situation);
    CHECK(after_statement(r.end) == r.expected);
  }
}

#include "db/topology/timeline_board.hpp"

#include "db/topology/lsn.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace scalekit::db::detail;
using scalekit::errc;
using verdict = timeline_board::verdict;

TEST_CASE("log positions are read and written as PostgreSQL does") {
  struct {
    std::string text;
    std::uint64_t value;
  } table[] = {
      {"0/0", 0},
      {"0/3000000", 0x3000000},
      {"16/B374D848", 0x16B374D848},
      {"FFFFFFFF/FFFFFFFF", 0xFFFFFFFFFFFFFFFF},
  };
  for (const auto& row : table) {
    CAPTURE(row.text);
    CHECK(parse_lsn(row.text) == lsn{row.value});
    CHECK(to_string(lsn{row.value}) == row.text);
  }
  CHECK(parse_lsn("16/b374d848") == lsn{0x16B374D848});

  for (const std::string text : {"", "/", "16", "16/", "/1", "16/B374D848 ", " 0/1", "0/1/2", "g/1",
                                 "0/-1", "100000000/0", "0/123456789"}) {
    CAPTURE(text);
    CHECK(parse_lsn(text) == std::nullopt);
  }
}

TEST_CASE("a timeline history file lists the ancestors and where they were left") {
  const auto history = parse_timeline_history(
      "# comment\n"
      "1\t0/3000000\tno recovery target specified\n"
      "\n"
      "2\t0/5000148\tbefore 2026-01-01 00:00:00+00\r\n"
      "4\t16/B374D848\n");

  CHECK(history == std::vector<timeline_switch>{{1, {0x3000000}, {0x3000000}},
                                                {2, {0x5000148}, {0x5000148}},
                                                {4, {0x16B374D848}, {0x16B374D848}}});
  CHECK(parse_timeline_history("").empty());
}

TEST_CASE("what is no history file is refused with its line") {
  for (const std::string text :
       {"1\t0/3000000\n1\t0/4000000\n", "2\t0/3000000\n1\t0/4000000\n", "1\t0/3000000\nx\t0/4\n",
        "1\t0/3000000\n2\n", "1\t0/3000000\n2\t4\n", "1\t0/3000000\n-2\t0/4000000\n",
        "1\t0/3000000\n0\t0/4000000\n"}) {
    CAPTURE(text);
    const auto e = support::error_of([&] { parse_timeline_history(text); });
    CHECK(e.code() == errc::backend_error);
    CHECK(support::contains(e.what(), "line 2"));
  }
}

TEST_CASE("a write below the switch is part of the new timeline, one above was lost") {
  timeline_board board;
  board.learn(3, parse_timeline_history("1\t0/100\tx\n2\t0/200\tx\n"));

  struct {
    log_place place;
    std::uint32_t timeline;
    verdict wanted;
  } table[] = {
      {{1, {0x100}}, 3, verdict::included}, {{1, {0x101}}, 3, verdict::lost},
      {{2, {0x200}}, 3, verdict::included}, {{2, {0x201}}, 3, verdict::lost},
      {{3, {0x999}}, 3, verdict::included}, {{3, {0x201}}, 1, verdict::ahead},
      {{3, {0x201}}, 2, verdict::ahead},    {{2, {0x150}}, 1, verdict::ahead},
      {{1, {0x100}}, 2, verdict::included}, {{1, {0x101}}, 2, verdict::lost},
      {{4, {0x300}}, 3, verdict::unknown},  {{1, {0x050}}, 4, verdict::unknown},
      {{0, {0x100}}, 3, verdict::unknown},  {{3, {0x100}}, 0, verdict::unknown},
  };
  for (const auto& row : table) {
    CAPTURE(row.place.timeline);
    CAPTURE(row.place.at.value);
    CAPTURE(row.timeline);
    CHECK(board.judge(row.place, row.timeline) == row.wanted);
  }
}

TEST_CASE("a standby promoted before it had replayed its ancestors has left those earlier") {
  timeline_board board;
  board.learn(3, parse_timeline_history("1\t0/200\tx\n2\t0/150\tx\n"));

  CHECK(board.judge({1, {0x150}}, 3) == verdict::included);
  CHECK(board.judge({1, {0x151}}, 3) == verdict::lost);
}

TEST_CASE("a promotion over several timelines may have passed through those between") {
  timeline_board board;
  board.saw_promotion(3, {1, {0x100}}, {0x140});

  CHECK(board.judge({1, {0x100}}, 3) == verdict::included);
  CHECK(board.judge({1, {0x141}}, 3) == verdict::lost);
  CHECK(board.judge({2, {0x110}}, 3) == verdict::unknown);
}

TEST_CASE("what was written on the other side of a fork is lost") {
  timeline_board board;
  board.learn(2, parse_timeline_history("1\t0/100\tx\n"));
  board.learn(3, parse_timeline_history("1\t0/180\tx\n"));

  CHECK(board.judge({2, {0x101}}, 3) == verdict::lost);
  CHECK(board.judge({3, {0x190}}, 2) == verdict::lost);
  CHECK_FALSE(board.descends(3, 2));
  CHECK(board.descends(3, 1));
}

TEST_CASE("a promotion that was seen tells within which bounds the old timeline was left") {
  timeline_board board;
  board.saw_promotion(2, {1, {0x100}}, {0x140});

  CHECK(board.judge({1, {0x100}}, 2) == verdict::included);
  CHECK(board.judge({1, {0x120}}, 2) == verdict::unknown);
  CHECK(board.judge({1, {0x141}}, 2) == verdict::lost);
  CHECK(board.descends(2, 1));
  CHECK_FALSE(board.knows(2));

  SUBCASE("and is replaced by the history file") {
    board.learn(2, parse_timeline_history("1\t0/130\tx\n"));

    CHECK(board.judge({1, {0x120}}, 2) == verdict::included);
    CHECK(board.judge({1, {0x131}}, 2) == verdict::lost);
    CHECK(board.knows(2));
  }
  SUBCASE("and adds up with the next one") {
    board.saw_promotion(3, {2, {0x200}}, {0x200});

    CHECK(board.judge({1, {0x100}}, 3) == verdict::included);
    CHECK(board.judge({2, {0x201}}, 3) == verdict::lost);
    CHECK(board.descends(3, 1));
  }
}

TEST_CASE("a promotion from a timeline of unknown origin proves nothing about older ones") {
  timeline_board board;
  board.saw_promotion(5, {4, {0x400}}, {0x400});

  CHECK(board.judge({4, {0x400}}, 5) == verdict::included);
  CHECK(board.judge({3, {0x100}}, 5) == verdict::unknown);
  CHECK(board.judge({1, {0x100}}, 5) == verdict::unknown);
}

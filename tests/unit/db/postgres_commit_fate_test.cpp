#include "db/postgres/commit_inquiry.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace scalekit::db::postgres;

TEST_CASE("what a server says of a transaction counts as far as it can know it") {
  const server_identity then{.system = 7, .timeline = 2, .crash_mark = 100};
  const server_identity crashed{.system = 7, .timeline = 2, .crash_mark = 200};
  const server_identity unsure{.system = 7, .timeline = 2, .crash_mark = 0};
  const server_identity promoted{.system = 7, .timeline = 3, .crash_mark = 100};
  const server_identity another{.system = 8, .timeline = 2, .crash_mark = 100};
  const server_identity nobody{};
  using enum commit_fate;
  struct {
    const char* status;
    commit_fate same, after_crash;
  } const table[] = {
      {"committed", committed, commit_fate::unknown},
      {"aborted", rolled_back, rolled_back},
      {"in progress", in_progress, in_progress},
      {"", commit_fate::unknown, commit_fate::unknown},
      {"something new", commit_fate::unknown, commit_fate::unknown},
  };
  for (const auto& row : table) {
    const std::string status = row.status;
    CAPTURE(status);
    CHECK(fate_of(status, then, then) == row.same);
    CHECK(fate_of(status, then, crashed) == row.after_crash);
    CHECK(fate_of(status, then, unsure) == row.after_crash);
    for (const auto& elsewhere : {promoted, another, nobody}) {
      CHECK(fate_of(status, then, elsewhere) == commit_fate::unknown);
      CHECK(fate_of(status, nobody, elsewhere) == commit_fate::unknown);
    }
  }
}

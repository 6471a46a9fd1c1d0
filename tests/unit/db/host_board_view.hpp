#pragma once

#include "db/topology/host_board.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace test {

using namespace scalekit;
using namespace scalekit::db::detail;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

/// Times of the tests count from here.
inline time_point at(nanoseconds t) {
  return time_point{} + 1h + t;
}

inline constexpr std::uint64_t cluster = 7391;

inline host_sample primary_sample(nanoseconds t, std::uint32_t timeline, std::uint64_t position) {
  return {.asked_at = at(t),
          .in_recovery = false,
          .system_id = cluster,
          .timeline = timeline,
          .position = {position}};
}

inline host_sample standby_sample(nanoseconds t, std::uint32_t timeline, std::uint64_t position) {
  auto s = primary_sample(t, timeline, position);
  s.in_recovery = true;
  return s;
}

/// A board of the hosts a, b and c.
struct three_hosts {
  explicit three_hosts(db::topology_params params = {.slow_start = 0s})
      : board(std::move(params)),
        a(board.add({.host = "a"}, at(0s))),
        b(board.add({.host = "b"}, at(0s))),
        c(board.add({.host = "c"}, at(0s))) {}

  void says(host_id host, const host_sample& sample, nanoseconds round_trip = 1ms) {
    board.sample(host, sample, sample.asked_at + round_trip);
  }

  /// a is primary, b and c follow it, all at 100 on timeline 1.
  void all_is_well(nanoseconds t) {
    says(a, primary_sample(t, 1, 100));
    says(b, standby_sample(t, 1, 100));
    says(c, standby_sample(t, 1, 100));
  }

  write_route writer(nanoseconds t) { return board.writer(at(t)); }

  read_route reader(nanoseconds t, const db::consistency& how, const db::labels* labels = nullptr,
                    unsigned asked = 0, nanoseconds begun = -1ns) {
    return board.reader({.how = how,
                         .labels = labels,
                         .begun = at(begun < 0ns ? t : begun),
                         .until = at((begun < 0ns ? t : begun) + 5s),
                         .asked = asked},
                        at(t), random);
  }

  /// Whether all of many reads go to `host`.
  bool reads_go_to(host_id host, nanoseconds t, const db::consistency& how,
                   const db::labels* labels = nullptr) {
    for (int i = 0; i < 50; ++i) {
      const auto route = reader(t, how, labels);
      if (route.what != read_route::kind::use || route.host != host) return false;
    }
    return true;
  }

  host_board board;
  host_id a, b, c;
  random_generator random{1};
};

}  // namespace test

#include "host_board_view.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace test;
using support::contains;

TEST_CASE("writes go to the primary while its answer counts, and not a moment longer") {
  three_hosts hosts;
  hosts.all_is_well(0s);

  CHECK(hosts.writer(0s).host == hosts.a);
  CHECK(hosts.writer(3s));

  const auto late = hosts.writer(3s + 1ns);
  CHECK(late.why == refusal::no_primary);
  CHECK(contains(late.explanation, "a:5432 silent for 3 s"));
}

TEST_CASE("an answer counts from when it was asked for, not from when it came") {
  three_hosts hosts;
  hosts.all_is_well(0s);

  hosts.says(hosts.a, primary_sample(2s, 1, 200), 4s);

  CHECK_FALSE(hosts.writer(6s));
}

TEST_CASE("answers that overtake each other do not turn back the picture") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  hosts.says(hosts.a, standby_sample(2s, 2, 300));

  hosts.says(hosts.a, primary_sample(1s, 1, 200), 2s);

  CHECK_FALSE(hosts.writer(3s));
}

TEST_CASE("nothing is decided before every host was heard of, or a round has passed") {
  three_hosts hosts;
  hosts.says(hosts.a, primary_sample(0s, 1, 100));
  hosts.says(hosts.b, standby_sample(0s, 1, 100));

  CHECK(hosts.writer(10ms).why == refusal::starting);
  CHECK(hosts.reader(10ms, db::consistency::any()).why == refusal::starting);

  SUBCASE("an answer completes it") {
    hosts.says(hosts.c, primary_sample(10ms, 2, 120));

    // c is not known to continue a.
    CHECK(hosts.writer(20ms).why == refusal::split_brain);
  }
  SUBCASE("an error completes it") {
    hosts.board.error_seen(hosts.c, host_error::refused, "connection refused", at(10ms));

    CHECK(hosts.writer(20ms).host == hosts.a);
  }
  SUBCASE("silence does it after a while") {
    CHECK(hosts.writer(1s).host == hosts.a);
  }
}

TEST_CASE("an error outweighs every answer to a question asked before it") {
  struct {
    host_error what;
    bool stops_writes;
    bool stops_reads;
  } table[] = {
      {host_error::read_only, true, false},
      {host_error::shutting_down, true, true},
      {host_error::refused, true, true},
      {host_error::lost, false, false},
  };
  for (const auto& row : table) {
    CAPTURE(static_cast<int>(row.what));
    three_hosts hosts;
    hosts.all_is_well(0s);

    hosts.board.error_seen(hosts.a, row.what, "an error", at(1s));
    hosts.board.error_seen(hosts.b, row.what, "an error", at(1s));
    hosts.board.error_seen(hosts.c, row.what, "an error", at(1s));
    hosts.says(hosts.a, primary_sample(900ms, 1, 150), 500ms);
    hosts.says(hosts.b, standby_sample(900ms, 1, 150), 500ms);

    CHECK(static_cast<bool>(hosts.writer(1500ms)) == !row.stops_writes);
    CHECK((hosts.reader(1500ms, db::consistency::any()).what == read_route::kind::use) ==
          !row.stops_reads);

    hosts.says(hosts.a, primary_sample(1600ms, 1, 160));
    CHECK(hosts.writer(1700ms).host == hosts.a);
  }
}

TEST_CASE("a connection that says it is on a standby takes the writes away at once") {
  three_hosts hosts;
  hosts.all_is_well(0s);

  SUBCASE("in hot standby") {
    hosts.board.parameter_status(hosts.a, {.in_hot_standby = true}, at(500ms));
  }
  SUBCASE("read-only by default") {
    hosts.board.parameter_status(hosts.a, {.default_transaction_read_only = true}, at(500ms));
  }

  CHECK(hosts.writer(501ms).why == refusal::no_primary);
  CHECK(hosts.board.probe_at(hosts.a, at(501ms)) <= at(501ms));
}

TEST_CASE("a connection that says it is on a primary only has that looked at") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  hosts.board.probe_began(hosts.b, at(0s));

  hosts.board.parameter_status(hosts.b, {.in_hot_standby = false}, at(500ms));

  CHECK(hosts.writer(501ms).host == hosts.a);
  CHECK(hosts.board.probe_at(hosts.b, at(501ms)) == at(50ms));
}

TEST_CASE("a primary that is read-only takes no writes but still reads") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  auto full = primary_sample(1s, 1, 200);
  full.read_only = true;

  hosts.says(hosts.a, full);

  const auto route = hosts.writer(1100ms);
  CHECK(route.why == refusal::no_primary);
  CHECK(contains(route.explanation,
                 "the primary takes no writes: a:5432 primary, timeline 1, "
                 "read-only"));
  CHECK(hosts.reads_go_to(hosts.a, 1100ms, db::consistency::primary()));
}

TEST_CASE("a promotion that was seen moves the writes, and their generation") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  const auto before = hosts.writer(0s).generation;

  SUBCASE("also while the old primary still seems to be one") {}
  SUBCASE("and the old primary is gone") {
    hosts.board.error_seen(hosts.a, host_error::refused, "connection refused", at(400ms));
    CHECK_FALSE(hosts.writer(450ms));
  }
  hosts.says(hosts.b, primary_sample(500ms, 2, 130));

  const auto route = hosts.writer(600ms);
  CHECK(route.host == hosts.b);
  CHECK(route.generation == before + 1);
}

TEST_CASE("without having seen the promotion only the history tells who is right") {
  three_hosts hosts;
  hosts.says(hosts.a, primary_sample(0s, 1, 100));
  hosts.says(hosts.b, primary_sample(0s, 2, 130));
  hosts.says(hosts.c, standby_sample(0s, 2, 130));

  const auto route = hosts.writer(10ms);
  CHECK(route.why == refusal::split_brain);

  hosts.board.learn_history(2, parse_timeline_history("1\t0/60\tx"));
  CHECK(hosts.writer(20ms).host == hosts.b);
}

TEST_CASE("a history that is read before every host was heard of tells it as well") {
  three_hosts hosts;
  hosts.board.learn_history(2, parse_timeline_history("1\t0/60\tx"));
  hosts.says(hosts.b, primary_sample(0s, 2, 130));
  hosts.says(hosts.a, primary_sample(0s, 1, 100));
  hosts.says(hosts.c, standby_sample(0s, 2, 130));

  const auto route = hosts.writer(10ms);

  CHECK(route.why == refusal::none);
  CHECK(route.host == hosts.b);
}

TEST_CASE("a history that is read beside a host of another cluster tells nothing") {
  three_hosts hosts;
  auto stranger = standby_sample(0s, 2, 130);
  stranger.system_id = cluster + 1;
  hosts.board.learn_history(2, parse_timeline_history("1\t0/60\tx"));
  hosts.says(hosts.b, primary_sample(0s, 2, 130));
  hosts.says(hosts.a, primary_sample(0s, 1, 100));
  hosts.says(hosts.c, stranger);

  CHECK(hosts.writer(10ms).why == refusal::split_brain);
}

TEST_CASE("the same timeline twice is a split brain: writes fail fast, reads of any state go on") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  hosts.says(hosts.b, primary_sample(1s, 1, 120));

  const auto route = hosts.writer(1100ms);
  CHECK(route.why == refusal::split_brain);
  CHECK(contains(route.explanation, "split brain: "));
  CHECK(contains(route.explanation, "a:5432 and b:5432 are both primary"));
  const auto e = refusal_error(route.why, route.explanation);
  CHECK(e.code() == errc::unavailable);
  CHECK(is_transient(e));

  CHECK(hosts.reads_go_to(hosts.c, 1100ms, db::consistency::any()));
  const auto refused = refusal::split_brain;
  CHECK(hosts.reader(1100ms, db::consistency::primary()).why == refused);
  CHECK(hosts.reader(1100ms, db::consistency::bounded(1min)).why == refused);
  CHECK(hosts.reader(1100ms, db::consistency::after("pg-1cdf-1-64")).why == refused);

  hosts.board.error_seen(hosts.c, host_error::refused, "connection refused", at(1200ms));
  CHECK(hosts.reader(1300ms, db::consistency::any()).what == read_route::kind::use);

  hosts.board.error_seen(hosts.a, host_error::refused, "connection refused", at(1400ms));
  CHECK(hosts.writer(1500ms).host == hosts.b);
}

TEST_CASE("a third primary that continues both ends their dispute") {
  three_hosts hosts;
  hosts.says(hosts.a, primary_sample(0s, 1, 100));
  hosts.says(hosts.b, primary_sample(0s, 1, 110));
  hosts.says(hosts.c, primary_sample(0s, 2, 130));

  hosts.board.learn_history(2, parse_timeline_history("1\t0/60\tx"));

  CHECK(hosts.writer(10ms).host == hosts.c);
}

TEST_CASE("an old primary that returns while the new one is silent is not written to") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  hosts.board.error_seen(hosts.a, host_error::refused, "connection refused", at(500ms));
  hosts.says(hosts.b, primary_sample(1s, 2, 130));
  REQUIRE(hosts.writer(1100ms).host == hosts.b);

  hosts.says(hosts.a, primary_sample(10s, 1, 105));

  const auto route = hosts.writer(10100ms);
  CHECK(route.why == refusal::no_primary);
  CHECK(contains(route.explanation, "a:5432 primary, timeline 1, which timeline 2 replaced"));
  CHECK(hosts.reader(10100ms, db::consistency::primary()).why == refusal::no_primary);

  SUBCASE("unless the new one was taken out by hand") {
    hosts.board.remove(hosts.b);
    CHECK(hosts.writer(10200ms).host == hosts.a);
  }
}

TEST_CASE("a host of another cluster is refused, whatever it says") {
  three_hosts hosts;
  auto stranger = primary_sample(0s, 9, 5000);
  stranger.system_id = 1111;
  hosts.says(hosts.a, primary_sample(0s, 1, 100));
  hosts.says(hosts.b, standby_sample(0s, 1, 100));
  hosts.says(hosts.c, stranger);

  CHECK(hosts.writer(10ms).host == hosts.a);
  CHECK(hosts.reads_go_to(hosts.b, 10ms, db::consistency::any()));
  CHECK(contains(hosts.board.describe(at(10ms)), "c:5432 of another cluster, 1111"));

  SUBCASE("also when it is the only one left") {
    stranger.asked_at = at(10s);
    hosts.says(hosts.c, stranger);
    CHECK_FALSE(hosts.writer(10010ms));
  }
  SUBCASE("until all hosts are of that cluster: it was replaced") {
    const auto generation = hosts.board.generation();
    auto standby = stranger;
    standby.in_recovery = true;
    standby.asked_at = stranger.asked_at = at(20s);
    hosts.says(hosts.a, standby);
    hosts.says(hosts.b, standby);
    hosts.says(hosts.c, stranger);

    const auto route = hosts.writer(20010ms);
    CHECK(route.host == hosts.c);
    CHECK(route.generation > generation);
  }
}

TEST_CASE("between two clusters without a majority nothing is chosen") {
  host_board board({});
  const auto a = board.add({.host = "a"}, at(0s));
  const auto b = board.add({.host = "b"}, at(0s));
  auto other = primary_sample(0s, 1, 100);
  other.system_id = 1111;

  board.sample(a, primary_sample(0s, 1, 100), at(1ms));
  board.sample(b, other, at(1ms));

  const auto route = board.writer(at(2ms));
  CHECK(route.why == refusal::mixed_clusters);
  CHECK(refusal_error(route.why, route.explanation).code() == errc::unavailable);
}

TEST_CASE("the same primary keeps its generation through errors and silence") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  const auto before = hosts.writer(0s).generation;
  hosts.board.error_seen(hosts.a, host_error::refused, "connection refused", at(1s));
  REQUIRE_FALSE(hosts.writer(1100ms));

  hosts.says(hosts.a, primary_sample(20s, 1, 300));

  CHECK(hosts.writer(20010ms).generation == before);
  CHECK(before > 0);
}

TEST_CASE("a host demoted and promoted again is another writer") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  const auto before = hosts.writer(0s).generation;
  hosts.says(hosts.a, standby_sample(1s, 1, 150));
  hosts.says(hosts.a, primary_sample(2s, 2, 160));

  CHECK(hosts.writer(2010ms).host == hosts.a);
  CHECK(hosts.writer(2010ms).generation == before + 1);
}

TEST_CASE("hosts are asked at their interval, sooner in trouble, never all the time") {
  three_hosts hosts;
  CHECK(hosts.board.probe_at(hosts.a, at(0s)) <= at(0s));
  for (const auto id : hosts.board.hosts()) hosts.board.probe_began(id, at(0s));
  CHECK(hosts.board.probe_at(hosts.a, at(1ms)) == at(200ms));  // no primary is known
  hosts.all_is_well(0s);
  CHECK(hosts.board.probe_at(hosts.a, at(1ms)) == at(1s));

  hosts.board.error_seen(hosts.b, host_error::lost, "reset by peer", at(500ms));

  CHECK(hosts.board.probe_at(hosts.b, at(500ms)) == at(50ms));
  CHECK(hosts.board.probe_at(hosts.c, at(500ms)) == at(1s));
  hosts.board.probe_began(hosts.b, at(500ms));
  hosts.board.error_seen(hosts.b, host_error::lost, "reset by peer", at(501ms));
  CHECK(hosts.board.probe_at(hosts.b, at(501ms)) == at(550ms));
}

TEST_CASE("the history file is asked for only where there is one and it is not known") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  CHECK_FALSE(hosts.board.wants_history());

  hosts.says(hosts.b, primary_sample(1s, 2, 130));
  CHECK(hosts.board.wants_history());

  hosts.board.learn_history(2, parse_timeline_history("1\t0/70\tx"));
  CHECK_FALSE(hosts.board.wants_history());
}

TEST_CASE("a refusal tells what is known of every host") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  hosts.says(hosts.a, primary_sample(1s, 1, 200));
  hosts.board.error_seen(hosts.a, host_error::refused, "connection refused", at(1500ms));
  hosts.says(hosts.b, standby_sample(1s, 1, 100));
  hosts.board.error_seen(hosts.c, host_error::lost, "reset by peer", at(1s));

  const auto route = hosts.writer(2800ms);

  CHECK(route.explanation ==
        "no host is known to be primary: a:5432 unreachable for 1300 ms: connection refused; "
        "b:5432 replica, lag 0 ms; c:5432 replica, lag 0 ms, doubted: reset by peer");
}

TEST_CASE("a lease shorter than two rounds of the monitor is refused") {
  CHECK_THROWS_WITH_AS(host_board({.monitor_interval = 2s, .evidence_lease = 3s}),
                       "evidence_lease is 3000 ms; legal: 4000 ms to 600000 ms",
                       std::invalid_argument);
}

TEST_CASE("events of a host that was removed are ignored") {
  three_hosts hosts;
  hosts.all_is_well(0s);

  hosts.board.remove(hosts.a);
  hosts.says(hosts.a, primary_sample(1s, 1, 100));
  hosts.board.error_seen(hosts.a, host_error::refused, "connection refused", at(1s));
  hosts.board.parameter_status(hosts.a, {.in_hot_standby = true}, at(1s));
  hosts.board.replayed(hosts.a, {1, {200}}, at(1s));
  hosts.board.call_began(hosts.a);
  hosts.board.call_ended(hosts.a, 1ms);
  hosts.board.probe_began(hosts.a, at(1s));

  CHECK_FALSE(hosts.writer(1s));
  CHECK_FALSE(hosts.board.has(hosts.a));
}

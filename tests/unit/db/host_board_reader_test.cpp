#include "host_board_view.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace test;
using db::consistency;
using support::contains;
using kind = read_route::kind;

namespace {

consistency after(std::uint32_t timeline, std::uint64_t position) {
  return consistency::after(db::causal_token::postgres(cluster, timeline, position));
}

std::map<host_id, int> spread(three_hosts& hosts, nanoseconds t, int reads) {
  std::map<host_id, int> counts;
  for (int i = 0; i < reads; ++i) ++counts[hosts.reader(t, consistency::any()).host];
  return counts;
}

}  // namespace

TEST_CASE("reads of any state go to replicas, and to the primary when there are none") {
  three_hosts hosts;
  hosts.all_is_well(0s);

  const auto counts = spread(hosts, 10ms, 200);
  CHECK_FALSE(counts.contains(hosts.a));
  CHECK(counts.at(hosts.b) > 50);
  CHECK(counts.at(hosts.c) > 50);
  CHECK_FALSE(hosts.reader(10ms, consistency::any()).on_primary);

  hosts.board.error_seen(hosts.b, host_error::refused, "connection refused", at(20ms));
  hosts.board.error_seen(hosts.c, host_error::shutting_down, "57P03", at(20ms));
  CHECK(hosts.reads_go_to(hosts.a, 30ms, consistency::any()));
  CHECK(hosts.reader(30ms, consistency::any()).on_primary);
}

TEST_CASE("reads of any state go on without a primary") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  hosts.says(hosts.a, primary_sample(1s, 1, 200));
  hosts.board.error_seen(hosts.a, host_error::refused, "connection refused", at(1100ms));

  for (auto t = 2s; t < 60s; t += 1s) {
    hosts.says(hosts.b, standby_sample(t, 0, 190));
    CHECK(hosts.reads_go_to(hosts.b, t + 500ms, consistency::any()) == (t >= 3s));
  }
}

TEST_CASE("a read of the primary waits for one") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  CHECK(hosts.reads_go_to(hosts.a, 10ms, consistency::primary()));

  hosts.board.error_seen(hosts.a, host_error::refused, "connection refused", at(20ms));

  const auto route = hosts.reader(30ms, consistency::primary());
  CHECK(route.why == refusal::no_primary);
  CHECK(may_pass(route.why));
  CHECK(refusal_error(route.why, route.explanation).code() == errc::unavailable);
}

TEST_CASE("a replica too far behind is left out until it has caught up") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  for (unsigned t = 1; t <= 4; ++t) {
    hosts.says(hosts.a, primary_sample(t * 1s, 1, 100 + 100 * t));
    hosts.says(hosts.b, standby_sample(t * 1s, 1, 100 + 100 * t - 1));
    hosts.says(hosts.c, standby_sample(t * 1s, 1, 100));
  }

  CHECK(hosts.board.lag(hosts.b) == 0s);
  CHECK(hosts.board.lag(hosts.c) == 3s);
  CHECK(hosts.reads_go_to(hosts.b, 4100ms, consistency::any()));
  CHECK(contains(hosts.board.describe(at(4100ms)), "c:5432 replica, lag 3 s"));

  hosts.says(hosts.c, standby_sample(4200ms, 1, 500));
  CHECK(spread(hosts, 4300ms, 100).contains(hosts.c));
}

TEST_CASE("an idle primary makes no replica look late") {
  three_hosts hosts;
  for (auto t = 0s; t < 3600s; t += 1s) hosts.all_is_well(t);

  CHECK(hosts.board.lag(hosts.b) == 0s);
  CHECK(spread(hosts, 3599s, 100).size() == 2);
  CHECK(hosts.reader(3599s, consistency::bounded(1s)).on_primary == false);
}

TEST_CASE("bounded reads use a replica only where its freshness is proven") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  for (unsigned t = 1; t <= 4; ++t) {
    hosts.says(hosts.a, primary_sample(t * 1s, 1, 100 + 100 * t));
    hosts.says(hosts.b, standby_sample(t * 1s, 1, 100 + 100 * t));
    hosts.says(hosts.c, standby_sample(t * 1s, 1, 250));
  }
  // c has what the primary had at 1 s, b what it had at 4 s.

  CHECK(hosts.reads_go_to(hosts.b, 4500ms, consistency::bounded(500ms)));
  CHECK(hosts.reads_go_to(hosts.a, 4501ms, consistency::bounded(500ms)));
  CHECK(hosts.reads_go_to(hosts.b, 4500ms, consistency::bounded(3499ms)));
  CHECK(hosts.reads_go_to(hosts.a, 4500ms, consistency::bounded(0s)));
  hosts.board.error_seen(hosts.b, host_error::refused, "connection refused", at(4500ms));
  CHECK(hosts.reads_go_to(hosts.c, 4500ms, consistency::bounded(3500ms)));
}

TEST_CASE("a read after a write goes to a replica that is known to have it") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  hosts.says(hosts.a, primary_sample(500ms, 1, 200));
  hosts.says(hosts.b, standby_sample(500ms, 1, 180));

  CHECK(hosts.reads_go_to(hosts.b, 510ms, after(1, 180)));
  CHECK(hosts.reads_go_to(hosts.b, 510ms, after(1, 101)));
  CHECK(spread(hosts, 510ms, 100).size() == 2);
}

TEST_CASE("no token, or an empty one, asks for nothing") {
  three_hosts hosts;
  hosts.all_is_well(0s);

  CHECK_FALSE(hosts.reader(10ms, consistency::after("")).on_primary);
  CHECK_FALSE(hosts.reader(10ms, consistency{}).on_primary);
}

TEST_CASE("a replica that nearly has the write is asked, ever less often, then the primary") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  hosts.says(hosts.b, standby_sample(1s, 1, 150));
  hosts.says(hosts.a, primary_sample(1s, 1, 200));
  const auto wanted = after(1, 180);

  nanoseconds t = 1010ms;
  nanoseconds waits[] = {0ms, 1ms, 2ms, 4ms, 8ms, 16ms, 16ms};
  for (unsigned asked = 0; asked < std::size(waits); ++asked) {
    const auto route = hosts.reader(t, wanted, nullptr, asked, 1010ms);
    REQUIRE(route.what == kind::ask);
    CHECK(route.host == hosts.b);
    CHECK(route.when == at(t + waits[asked]));
    t += waits[asked];
    hosts.board.replayed(hosts.b, {1, {150 + asked}}, at(t));
  }
  const auto given_up = hosts.reader(t, wanted, nullptr, std::size(waits), 1010ms);
  CHECK(given_up.what == kind::use);
  CHECK(given_up.on_primary);

  hosts.board.replayed(hosts.b, {2, {190}}, at(t));
  hosts.board.replayed(hosts.b, {0, {190}}, at(t));
  CHECK(hosts.reader(t, wanted).what == kind::ask);

  hosts.board.replayed(hosts.b, {1, {180}}, at(t));
  CHECK(hosts.reads_go_to(hosts.b, t, wanted));
}

TEST_CASE("with catch_up_wait 0 no replica is waited for") {
  three_hosts hosts({.catch_up_wait = 0s});
  hosts.all_is_well(0s);

  CHECK(hosts.reads_go_to(hosts.a, 10ms, after(1, 101)));
}

TEST_CASE("without a primary a replica is asked until the deadline") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  hosts.board.error_seen(hosts.a, host_error::refused, "connection refused", at(10ms));

  CHECK(hosts.reader(2s, after(1, 101), nullptr, 100, 10ms).what == kind::ask);

  hosts.says(hosts.b, standby_sample(5s, 1, 100));
  const auto route = hosts.reader(5s, after(1, 101), nullptr, 100, 10ms);
  CHECK(route.why == refusal::no_primary);
}

TEST_CASE("a replica that does not tell its timeline or position serves no read after a write") {
  three_hosts hosts;
  hosts.all_is_well(0s);

  SUBCASE("no timeline, for want of pg_monitor") {
    three_hosts blind;
    blind.says(blind.a, primary_sample(0s, 1, 100));
    blind.says(blind.b, standby_sample(0s, 0, 100));
    blind.says(blind.c, standby_sample(0s, 0, 100));

    CHECK(blind.reads_go_to(blind.a, 10ms, after(1, 50)));
    CHECK_FALSE(blind.reader(10ms, consistency::any()).on_primary);
    CHECK_FALSE(blind.reader(10ms, consistency::bounded(1s)).on_primary);
  }
  SUBCASE("no position") {
    hosts.says(hosts.b, standby_sample(1s, 1, 0));
    hosts.says(hosts.c, standby_sample(1s, 1, 0));
    hosts.says(hosts.a, primary_sample(1s, 1, 100));

    CHECK(hosts.reads_go_to(hosts.a, 1010ms, after(1, 50)));
    CHECK(hosts.reads_go_to(hosts.a, 1010ms, consistency::bounded(1min)));
    CHECK_FALSE(hosts.reader(1010ms, consistency::any()).on_primary);
  }
}

TEST_CASE("a standby whose primary died still counts as on its timeline, up to where it told it") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  hosts.board.error_seen(hosts.a, host_error::refused, "connection refused", at(400ms));
  auto orphan = standby_sample(500ms, 0, 120);

  hosts.says(hosts.b, orphan);
  CHECK(hosts.reads_go_to(hosts.b, 600ms, after(1, 100)) == false);  // c has it as well
  hosts.board.error_seen(hosts.c, host_error::refused, "connection refused", at(600ms));
  CHECK(hosts.reads_go_to(hosts.b, 700ms, after(1, 100)));
  CHECK(hosts.reader(700ms, after(1, 101)).what == kind::ask);

  SUBCASE("but not across a lost connection, which may have been a restart") {
    hosts.board.error_seen(hosts.b, host_error::lost, "reset by peer", at(800ms));
    orphan.asked_at = at(900ms);
    hosts.says(hosts.b, orphan);

    CHECK(hosts.reader(1s, after(1, 100)).why == refusal::no_primary);
  }
}

TEST_CASE("a standby that may have restarted is not believed to have what it had") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  hosts.board.error_seen(hosts.b, host_error::lost, "reset by peer", at(500ms));
  hosts.board.error_seen(hosts.c, host_error::lost, "reset by peer", at(500ms));

  CHECK(hosts.reads_go_to(hosts.a, 510ms, after(1, 100)));
  CHECK(hosts.reads_go_to(hosts.a, 510ms, consistency::bounded(1s)));
  CHECK_FALSE(hosts.reader(510ms, consistency::any()).on_primary);

  hosts.says(hosts.b, standby_sample(520ms, 1, 100));
  CHECK(hosts.reads_go_to(hosts.b, 530ms, after(1, 100)));
}

TEST_CASE("a standby that was promoted out of sight proves nothing about where") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  hosts.board.error_seen(hosts.a, host_error::refused, "connection refused", at(400ms));
  hosts.board.error_seen(hosts.b, host_error::lost, "reset by peer", at(400ms));

  hosts.says(hosts.b, primary_sample(500ms, 2, 140));
  hosts.says(hosts.c, standby_sample(500ms, 2, 140));

  CHECK(hosts.writer(600ms).host == hosts.b);
  CHECK(hosts.reads_go_to(hosts.b, 600ms, after(1, 90)));
  CHECK(hosts.reads_go_to(hosts.b, 600ms, after(1, 900)));
}

TEST_CASE("a token from before a promotion stays good below the switch") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  hosts.board.error_seen(hosts.a, host_error::refused, "connection refused", at(400ms));
  hosts.says(hosts.b, primary_sample(500ms, 2, 140));
  hosts.says(hosts.c, standby_sample(500ms, 2, 140));
  hosts.board.learn_history(2, parse_timeline_history("1\t0/78\tx"));  // 120

  CHECK(hosts.reads_go_to(hosts.c, 600ms, after(1, 120)));
  CHECK(hosts.reads_go_to(hosts.c, 600ms, after(2, 140)));

  const auto lost = hosts.reader(600ms, after(1, 121));
  CHECK(lost.why == refusal::token_lost);
  CHECK_FALSE(may_pass(lost.why));
  CHECK(contains(lost.explanation, "timeline 1, 0/79"));
  CHECK(refusal_error(lost.why, lost.explanation).code() == errc::write_lost);
}

TEST_CASE("a token whose timeline nobody can place uses the primary") {
  three_hosts hosts;
  hosts.says(hosts.a, primary_sample(0s, 3, 100));
  hosts.says(hosts.b, standby_sample(0s, 3, 100));
  hosts.says(hosts.c, standby_sample(0s, 3, 100));

  CHECK(hosts.reads_go_to(hosts.a, 10ms, after(1, 50)));
  CHECK(hosts.reads_go_to(hosts.a, 10ms, after(2, 50)));
}

TEST_CASE("a token of a later timeline than the primary's waits for the newer primary") {
  three_hosts hosts;
  hosts.all_is_well(0s);

  const auto route = hosts.reader(10ms, after(2, 50));
  CHECK(route.why == refusal::no_primary);
  CHECK(contains(route.explanation, "later timeline"));

  hosts.says(hosts.b, primary_sample(500ms, 2, 120));
  CHECK(hosts.reads_go_to(hosts.b, 600ms, after(2, 50)));
}

TEST_CASE("a replica that has replayed what the primary never had is left out") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  hosts.says(hosts.c, standby_sample(400ms, 1, 150));
  hosts.board.error_seen(hosts.a, host_error::refused, "connection refused", at(400ms));
  hosts.says(hosts.b, primary_sample(500ms, 2, 140));

  CHECK(hosts.reads_go_to(hosts.b, 600ms, consistency::any()));
  CHECK(contains(hosts.board.describe(at(600ms)),
                 "c:5432 replica, lag 0 ms, diverged from "
                 "timeline 2"));
}

TEST_CASE("a token of another database is refused") {
  three_hosts hosts;
  hosts.all_is_well(0s);

  for (const std::string token : {"sqlite", "pg-1234-1-64"}) {
    const auto route = hosts.reader(10ms, consistency::after(token));
    CHECK(route.why == refusal::foreign_token);
    CHECK(refusal_error(route.why, route.explanation).code() == errc::invalid_argument);
    CHECK(contains(route.explanation, "another database"));
  }
}

TEST_CASE("labels say where a read may run, the primary included") {
  three_hosts hosts;
  const db::labels reports{{"role", "reports"}};
  const auto d = hosts.board.add({.host = "d", .labels = {{"role", "reports"}}}, at(0s));
  hosts.all_is_well(0s);
  hosts.says(d, standby_sample(0s, 1, 100));

  CHECK(hosts.reads_go_to(d, 10ms, consistency::any(), &reports));
  CHECK(hosts.reads_go_to(d, 10ms, after(1, 100), &reports));
  CHECK(hosts.reader(10ms, after(1, 101), &reports).what == kind::ask);

  const auto primary = hosts.reader(10ms, consistency::primary(), &reports);
  CHECK(primary.why == refusal::no_replica);
  hosts.board.error_seen(d, host_error::refused, "connection refused", at(20ms));
  const auto gone = hosts.reader(30ms, consistency::any(), &reports);
  CHECK(gone.why == refusal::no_replica);
  CHECK(contains(gone.explanation, "no host with the labels role=reports can serve this read"));
  CHECK(contains(gone.explanation, "d:5432 unreachable for 10 ms: connection refused"));
}

TEST_CASE("replicas of one's own region come first, others when those are gone") {
  three_hosts hosts({.slow_start = 0s, .region = "eu"});
  hosts.all_is_well(0s);
  const auto near = hosts.board.add({.host = "d", .labels = {{"region", "eu"}}}, at(0s));
  hosts.says(near, standby_sample(0s, 1, 100), 90ms);

  CHECK(hosts.reads_go_to(near, 100ms, consistency::any()));

  hosts.board.error_seen(near, host_error::refused, "connection refused", at(110ms));
  CHECK(spread(hosts, 120ms, 100).size() == 2);
}

TEST_CASE("a doubted replica is used only when there is no other") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  hosts.board.error_seen(hosts.b, host_error::lost, "reset by peer", at(10ms));
  CHECK(hosts.reads_go_to(hosts.c, 20ms, consistency::any()));

  hosts.board.error_seen(hosts.c, host_error::refused, "connection refused", at(20ms));
  CHECK(hosts.reads_go_to(hosts.b, 30ms, consistency::any()));
}

TEST_CASE("a read that failed on a replica goes elsewhere, though the replica has answered since") {
  three_hosts hosts;
  hosts.all_is_well(0s);
  const auto again = [&](const consistency& how) {
    return hosts.board.reader({.how = how,
                               .begun = at(10ms),
                               .until = at(5s),
                               .failed_on = failed_read{hosts.b, at(9ms)}},
                              at(10ms), hosts.random);
  };
  for (int i = 0; i < 50; ++i) {
    CHECK(again(consistency::any()).host == hosts.c);
    CHECK(again(after(1, 90)).host == hosts.c);
  }

  hosts.board.error_seen(hosts.c, host_error::refused, "connection refused", at(5ms));
  CHECK(again(consistency::any()).host == hosts.a);
  CHECK(again(after(1, 90)).host == hosts.a);

  hosts.board.error_seen(hosts.a, host_error::refused, "connection refused", at(5ms));
  CHECK(again(consistency::any()).host == hosts.b);

  // Its processes die one after another: it is asked again before it is used again.
  hosts.board.error_seen(hosts.b, host_error::lost, "reset by peer", at(9ms));
  const auto meanwhile = again(consistency::any());
  CHECK(meanwhile.what == read_route::kind::refused);
  CHECK(may_pass(meanwhile.why));
  hosts.says(hosts.b, standby_sample(10ms, 1, 100));
  CHECK(again(consistency::any()).host == hosts.b);
  // What others have lost there since is no answer to whether it works.
  hosts.board.error_seen(hosts.b, host_error::lost, "reset by peer", at(11ms));
  CHECK(again(consistency::any()).host == hosts.b);
}

TEST_CASE("of two replicas the one with less latency times calls in flight is chosen") {
  three_hosts hosts;
  hosts.says(hosts.a, primary_sample(0s, 1, 100));
  hosts.says(hosts.b, standby_sample(0s, 1, 100), 1ms);
  hosts.says(hosts.c, standby_sample(0s, 1, 100), 3ms);
  CHECK(hosts.reads_go_to(hosts.b, 10ms, consistency::any()));

  SUBCASE("calls in flight") {
    for (int i = 0; i < 3; ++i) hosts.board.call_began(hosts.b);
    CHECK(hosts.reads_go_to(hosts.c, 10ms, consistency::any()));
    for (int i = 0; i < 3; ++i) hosts.board.call_ended(hosts.b, std::nullopt);
    CHECK(hosts.reads_go_to(hosts.b, 10ms, consistency::any()));
  }
  SUBCASE("latency of calls") {
    for (int i = 0; i < 30; ++i) {
      hosts.board.call_began(hosts.b);
      hosts.board.call_ended(hosts.b, 5ms);
    }
    CHECK(hosts.reads_go_to(hosts.c, 10ms, consistency::any()));
  }
}

TEST_CASE("replicas whose latencies differ by little share the reads evenly") {
  three_hosts hosts;
  hosts.says(hosts.a, primary_sample(0s, 1, 100));
  hosts.says(hosts.b, standby_sample(0s, 1, 100), 1ms);
  hosts.says(hosts.c, standby_sample(0s, 1, 100), 1400us);

  CHECK(spread(hosts, 10ms, 2000)[hosts.b] > 850);
  CHECK(spread(hosts, 10ms, 2000)[hosts.c] > 850);
  hosts.board.call_began(hosts.b);
  CHECK(hosts.reads_go_to(hosts.c, 10ms, consistency::any()));
}

TEST_CASE("a replica that comes back takes a growing share") {
  three_hosts hosts({.slow_start = 10s});
  for (auto t = 0s; t < 20s; t += 1s) hosts.all_is_well(t);
  hosts.board.error_seen(hosts.c, host_error::refused, "connection refused", at(19500ms));
  auto share_of_c = [&](nanoseconds t) { return spread(hosts, t, 2000)[hosts.c]; };
  CHECK(share_of_c(19600ms) == 0);

  hosts.all_is_well(20s);
  CHECK(share_of_c(20001ms) < 20);
  for (auto t = 21s; t <= 25s; t += 1s) hosts.all_is_well(t);
  const auto half = share_of_c(25001ms);
  CHECK(half > 350);
  CHECK(half < 650);
  for (auto t = 26s; t <= 31s; t += 1s) hosts.all_is_well(t);
  CHECK(share_of_c(31001ms) > 850);
}

TEST_CASE("the only replica is used however lately it came back") {
  three_hosts hosts({.slow_start = 10s});
  hosts.says(hosts.a, primary_sample(0s, 1, 100));
  hosts.says(hosts.b, standby_sample(0s, 1, 100));
  hosts.board.error_seen(hosts.c, host_error::refused, "connection refused", at(0s));

  CHECK(hosts.reads_go_to(hosts.b, 2ms, consistency::any()));
}

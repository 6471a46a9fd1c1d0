#include "redis/hop.hpp"

#include "redis/server_error.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace scalekit;
using namespace scalekit::redis;
using namespace scalekit::redis::detail;
using namespace std::chrono_literals;
using step = hop_plan::step;

namespace {

const backoff_params pauses{.base = 50ms, .cap = 2s, .full_jitter = false};

error said(std::string text) {
  return server_error({.kind = reply_kind::error, .text = std::move(text)}, "INCR", "host:1");
}

/// 5 s are left, and nodes are waited for for 2.
hop_bounds bounds(std::chrono::milliseconds now = 0ms) {
  return {.now = time_point{} + now,
          .until = time_point{} + 5s,
          .acquire_timeout = 2s,
          .pauses = pauses,
          .random = 1};
}

}  // namespace

TEST_CASE("what a node says is understood, what a script says is not taken for it") {
  struct row {
    error e;
    hop_end means;
  };
  const std::vector<row> rows{
      {said("MOVED 3999 127.0.0.1:6381"), hop_end::moved},
      {said("ASK 3999 127.0.0.1:6381"), hop_end::ask},
      {said("TRYAGAIN Multiple keys request during rehashing of slot"), hop_end::try_again},
      {said("CLUSTERDOWN The cluster is down"), hop_end::cluster_down},
      {said("CLUSTERDOWN Hash slot not served"), hop_end::cluster_down},
      {said("LOADING Redis is loading the dataset in memory"), hop_end::not_ready},
      {said("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
       hop_end::not_ready},
      {said("READONLY You can't write against a read only replica."), hop_end::not_ready},
      {said("TRYAGAIN says a script"), hop_end::final},
      {said("CLUSTERDOWN says a script"), hop_end::final},
      {said("ERR no such thing"), hop_end::final},
      {said("WRONGTYPE Operation against a key"), hop_end::final},
      {said("CROSSSLOT Keys in request don't hash to the same slot"), hop_end::final},
      {said("BUSY Redis is busy running a script"), hop_end::final},
      {said("MISCONF Redis is configured to save"), hop_end::final},
      {error(errc::unavailable, "no connection"), hop_end::unreachable},
      {error(errc::acquire_timeout, "no connection in time"), hop_end::unreachable},
      {error(errc::connection_lost, "a read"), hop_end::unreachable},
      {error(errc::closed, "the node has gone"), hop_end::unreachable},
      {error(errc::commit_in_doubt, "a write"), hop_end::no_answer},
      {error(errc::execution_timeout, "a read"), hop_end::no_answer},
      {error(errc::cancelled, "by its caller"), hop_end::final},
      {error(errc::shed, "too many"), hop_end::final},
      {error(errc::too_large, "a reply"), hop_end::final},
      {error(make_error_code(errc::commit_in_doubt), {"MULTI was refused", "LOADING x", {}, {}}),
       hop_end::no_answer},
  };
  for (const auto& row : rows) {
    INFO(row.e.what());
    CHECK(hop_end_of(row.e) == row.means);
  }
}

TEST_CASE("each end has its plan") {
  struct row {
    hop_end end;
    hop_plan plan;
  };
  const std::vector<row> rows{
      {hop_end::moved,
       {.next = step::resend, .to_named = true, .corrects_map = true, .refreshes_map = true}},
      {hop_end::ask, {.next = step::resend, .to_named = true, .with_asking = true}},
      {hop_end::try_again, {.next = step::pause, .pause = 50ms}},
      {hop_end::cluster_down, {.next = step::pause, .pause = 50ms, .refreshes_map = true}},
      {hop_end::not_ready, {.next = step::pause, .pause = 50ms, .refreshes_map = true}},
      {hop_end::unreachable, {.next = step::pause, .pause = 50ms, .refreshes_map = true}},
      {hop_end::no_answer, {.next = step::give_up, .refreshes_map = true}},
      {hop_end::final, {.next = step::give_up}},
  };
  for (const auto& row : rows) {
    INFO(static_cast<int>(row.end));
    hop_history h;
    CHECK(plan_hop(row.end, h, bounds()) == row.plan);
  }
}

TEST_CASE("a replica that does not answer is left at once, for another or the master") {
  for (const auto end :
       {hop_end::unreachable, hop_end::not_ready, hop_end::cluster_down, hop_end::try_again}) {
    hop_history h;
    auto b = bounds();
    b.was_at_replica = true;
    CHECK(plan_hop(end, h, b).next == step::resend);
    CHECK(h.pauses == 0);
  }
}

TEST_CASE("a few redirects are followed at once, more with pauses, and not for ever") {
  hop_history h;
  for (unsigned i = 1; i <= max_redirects; ++i) {
    const auto plan = plan_hop(i % 2 == 0 ? hop_end::ask : hop_end::moved, h, bounds());
    INFO(i);
    CHECK(plan.next == (i <= redirects_at_once ? step::resend : step::pause));
    CHECK(plan.to_named);
    CHECK_FALSE(plan.is_lost);
  }
  const auto last = plan_hop(hop_end::moved, h, bounds());
  CHECK(last.next == step::give_up);
  CHECK(last.is_lost);
}

TEST_CASE("keys that are on either side may be asked for at both again and again") {
  hop_history h;
  for (int i = 0; i < 100; ++i) {
    INFO(i);
    CHECK(plan_hop(hop_end::ask, h, bounds()).next == step::resend);
    CHECK(plan_hop(hop_end::try_again, h, bounds()).next == step::pause);
  }
}

TEST_CASE("nodes that cannot be reached are waited for no longer than for a connection") {
  hop_history h;
  CHECK(plan_hop(hop_end::unreachable, h, bounds(0ms)).next == step::pause);
  CHECK(plan_hop(hop_end::unreachable, h, bounds(1999ms)).next == step::pause);
  CHECK(plan_hop(hop_end::unreachable, h, bounds(2000ms)).next == step::give_up);

  // Whoever answers in between is there.
  h = {};
  plan_hop(hop_end::unreachable, h, bounds(0ms));
  plan_hop(hop_end::cluster_down, h, bounds(1000ms));
  CHECK(plan_hop(hop_end::unreachable, h, bounds(2500ms)).next == step::pause);
}

TEST_CASE("pauses grow, and one beyond the deadline is not begun") {
  hop_history h;
  auto b = bounds();
  CHECK(plan_hop(hop_end::cluster_down, h, b).pause == 50ms);
  CHECK(plan_hop(hop_end::cluster_down, h, b).pause == 100ms);
  CHECK(plan_hop(hop_end::try_again, h, b).pause == 200ms);
  b.now = b.until - 400ms;
  CHECK(plan_hop(hop_end::cluster_down, h, b).next == step::give_up);
  b.now = b.until;
  for (const auto end : {hop_end::moved, hop_end::ask, hop_end::unreachable}) {
    hop_history fresh;
    CHECK(plan_hop(end, fresh, b).next == step::give_up);
  }
}

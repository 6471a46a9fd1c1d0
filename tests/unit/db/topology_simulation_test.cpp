// Many lives of a cluster, each by its seed: hosts die, return, are cut off, promoted, and answer
// late. A client routes with a host_board and the truth is held against every route.

#include "simulated_cluster.hpp"
#include "support/sanitizer.hpp"

#include <doctest/doctest.h>

#include <array>
#include <deque>
#include <set>
#include <string>

using namespace test;
using db::consistency;
using support::fewer_under_sanitizer;
using kind = read_route::kind;

namespace {

struct counts {
  std::size_t writes = 0;
  std::size_t refused_writes = 0;
  std::size_t split_brains = 0;
  std::size_t reads_on_replicas = 0;
  std::size_t reads_on_primary = 0;
  std::size_t asks = 0;
  std::size_t lost_tokens = 0;
  std::size_t bounded_on_replicas = 0;
};

struct life {
  /// Whether the client may see timelines of standbys and read history files.
  bool is_monitor = true;
  bool reads_history = true;
  bool has_faults = true;
};

class simulated_client {
 public:
  simulated_client(std::uint64_t seed, life how, counts& total)
      : how_(how),
        total_(total),
        random_(seed),
        routing_random_(seed),
        cluster_(random_, 2 + seed % 4, how.has_faults),
        probes_(cluster_.hosts().size()),
        heard_(cluster_.hosts().size()) {
    for (std::size_t i = 0; i < cluster_.hosts().size(); ++i) {
      board_.add({.host = "h" + std::to_string(i)}, now_);
    }
  }

  void run(int steps) {
    for (int i = 0; i < steps && failure.empty(); ++i) {
      now_ += 50ms;
      for (const auto host : cluster_.step(now_)) error(host, host_error::lost);
      for (std::size_t host = 0; host < probes_.size(); ++host) probe(host);
      if (how_.reads_history && board_.wants_history()) read_history();
      write();
      write_of_another_client();
      read_after();
      if (!how_.has_faults) read_bounded();
    }
  }

  std::string failure;

 private:
  struct probe_under_way {
    time_point asked_at;
    time_point arrives_at;
    unsigned incarnation;
    std::optional<host_sample> answer;
  };

  /// What the checker remembers of what the board was told.
  struct hearsay {
    std::optional<host_sample> last;
    time_point no_primary_since = time_point::min();
  };

  void fail(std::string what, host_id host) {
    failure = std::move(what) + " h" + std::to_string(host) + " at " +
              std::to_string((now_ - at(0s)) / 1ms) + " ms: " + board_.describe(now_);
  }

  void error(host_id host, host_error what) {
    board_.error_seen(host, what, "an error", now_);
    if (what != host_error::lost) heard_[host].no_primary_since = now_;
  }

  void call_failed(host_id host) {
    error(host, cluster_.hosts()[host].is_reachable ? host_error::refused : host_error::lost);
  }

  host_sample truth_of(host_id id, time_point asked_at) const {
    const auto& host = cluster_.hosts()[id];
    const bool tells_timeline = !host.in_recovery || (how_.is_monitor && host.is_streaming);
    return {.asked_at = asked_at,
            .in_recovery = host.in_recovery,
            .system_id = cluster,
            .timeline = tells_timeline ? host.timeline : 0,
            .position = {host.position}};
  }

  void probe(host_id id) {
    auto& probe = probes_[id];
    const auto& host = cluster_.hosts()[id];
    if (!probe && board_.probe_at(id, now_) <= now_) {
      board_.probe_began(id, now_);
      if (host.is_reachable && !host.is_up) {
        error(id, host_error::refused);
        return;
      }
      const nanoseconds longest = random_() % 10 == 0 ? 2500ms : 90ms;
      probe = {now_, now_ + longest * (random_() % 8) / 8, host.incarnation, std::nullopt};
    }
    if (!probe) return;
    // The truth of any moment between the question and the answer.
    if (host.answers() && host.incarnation == probe->incarnation &&
        (!probe->answer || random_() % 2 == 0)) {
      probe->answer = truth_of(id, probe->asked_at);
    }
    if (now_ < probe->arrives_at) return;
    const auto done = *std::exchange(probe, std::nullopt);
    if (!done.answer || !host.answers() || host.incarnation != done.incarnation) {
      error(id, host_error::lost);
      return;
    }
    board_.sample(id, *done.answer, now_);
    auto& heard = heard_[id].last;
    if (!heard || done.answer->asked_at >= heard->asked_at) heard = done.answer;
  }

  void read_history() {
    const auto route = board_.writer(now_);
    if (!route || !cluster_.hosts()[route.host].answers()) return;
    const auto& host = cluster_.hosts()[route.host];
    if (host.in_recovery || host.timeline != heard_[route.host].last->timeline) return;
    std::vector<timeline_switch> ancestors;
    for (const auto& a : host.ancestors)
      ancestors.push_back({a.timeline, {a.left_at}, {a.left_at}});
    board_.learn_history(host.timeline, std::move(ancestors));
    histories_read_.insert(host.timeline);
  }

  bool is_known_primary(host_id id) const {
    const auto& heard = heard_[id];
    return heard.last && !heard.last->in_recovery &&
           heard.last->asked_at > heard.no_primary_since &&
           now_ - heard.last->asked_at <= board_.params().evidence_lease;
  }

  void write() {
    const auto route = board_.writer(now_);
    if (!route) {
      ++total_.refused_writes;
      if (route.why == refusal::split_brain) ++total_.split_brains;
      return;
    }
    if (!is_known_primary(route.host)) return fail("a write without evidence to", route.host);
    for (host_id other = 0; other < heard_.size(); ++other) {
      if (other == route.host || !is_known_primary(other)) continue;
      if (heard_[other].last->timeline >= heard_[route.host].last->timeline) {
        return fail("a write in a split brain to", route.host);
      }
    }
    if (route.generation < generation_) return fail("the generation went back at", route.host);
    if (route.generation == generation_ && generation_ > 0 && route.host != writer_) {
      return fail("another writer of the same generation", route.host);
    }
    generation_ = route.generation;
    writer_ = route.host;

    const auto timeline = heard_[route.host].last->timeline;
    if (timeline < newest_timeline_) return fail("a write to a replaced primary", route.host);
    newest_timeline_ = timeline;

    const auto& host = cluster_.hosts()[route.host];
    if (!host.answers()) return call_failed(route.host);
    if (host.in_recovery) return error(route.host, host_error::read_only);
    do_write(route.host);
    ++total_.writes;
  }

  /// Its token comes to our client's reads, whoever that client is.
  void write_of_another_client() {
    const auto host = random_() % (4 * cluster_.hosts().size());
    if (host >= cluster_.hosts().size()) return;
    const auto& chosen = cluster_.hosts()[host];
    if (chosen.is_up && !chosen.in_recovery) do_write(host);
  }

  void do_write(host_id id) {
    auto& host = cluster_.hosts()[id];
    host.position += 5;
    writes_.push_back({host.fork, host.timeline, host.position, now_});
    if (writes_.size() > 12) writes_.pop_front();
  }

  read_request request_for(const consistency& how, unsigned asked) const {
    return {.how = how, .begun = now_, .until = now_ + 5s, .asked = asked};
  }

  void read_after() {
    if (writes_.empty()) return;
    const auto write = writes_[random_() % writes_.size()];
    const auto how =
        consistency::after(db::causal_token::postgres(cluster, write.timeline, write.position));
    for (unsigned asked = 0; asked < 3 && failure.empty(); ++asked) {
      const auto route = board_.reader(request_for(how, asked), now_, routing_random_);
      if (route.what == kind::use) return check_read(route, write);
      if (route.what == kind::refused) {
        if (route.why == refusal::token_lost) check_lost(write);
        return;
      }
      ++total_.asks;
      if (!cluster_.hosts()[route.host].answers()) return call_failed(route.host);
      const auto truth = truth_of(route.host, now_);
      board_.replayed(route.host, {truth.timeline, truth.position}, now_);
    }
  }

  void check_read(const read_route& route, const true_write& write) {
    const auto& host = cluster_.hosts()[route.host];
    ++(route.on_primary ? total_.reads_on_primary : total_.reads_on_replicas);
    if (!host.answers()) return call_failed(route.host);
    if (route.on_primary && host.in_recovery) {
      board_.parameter_status(route.host, {.in_hot_standby = true}, now_);
      heard_[route.host].no_primary_since = now_;
      return;
    }
    if (cluster_.is_ambiguous(write.timeline) || cluster_.is_ambiguous(host)) return;
    // The primary may have lost it; without its history nobody can tell.
    const bool is_known = histories_read_.contains(host.timeline);
    if (route.on_primary && !is_known && write.timeline < host.timeline) return;
    if (!host.has(write)) fail("a stale read on", route.host);
  }

  void check_lost(const true_write& write) {
    ++total_.lost_tokens;
    const auto& host = cluster_.hosts()[writer_];
    // It is lost to the primary that is known; the host may be another one's follower by now.
    if (!is_known_primary(writer_) || host.timeline != heard_[writer_].last->timeline) return;
    if (cluster_.is_ambiguous(write.timeline) || cluster_.is_ambiguous(host)) return;
    if (host.has(write)) fail("a write said to be lost is on", writer_);
  }

  /// Only where nothing is ever promoted: two primaries cannot both be fresh.
  void read_bounded() {
    const nanoseconds lag = 200ms * (1 + random_() % 20);
    const auto route =
        board_.reader(request_for(consistency::bounded(lag), 0), now_, routing_random_);
    if (route.what != kind::use || route.on_primary) return;
    ++total_.bounded_on_replicas;
    for (const auto& write : writes_) {
      if (write.when < now_ - lag && !cluster_.hosts()[route.host].has(write)) {
        return fail("a bounded read misses an old write on", route.host);
      }
    }
  }

  const life how_;
  counts& total_;
  std::mt19937_64 random_;
  random_generator routing_random_;
  mutable simulated_cluster cluster_;
  host_board board_{{}};
  time_point now_ = at(0s);
  std::vector<std::optional<probe_under_way>> probes_;
  std::vector<hearsay> heard_;
  std::deque<true_write> writes_;
  std::set<std::uint32_t> histories_read_;
  std::uint64_t generation_ = 0;
  std::uint32_t newest_timeline_ = 0;
  host_id writer_ = 0;
};

counts live(std::uint64_t seeds, int steps, life how) {
  counts total;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    simulated_client client(seed, how, total);
    client.run(steps);
    INFO("seed ", seed);
    REQUIRE(client.failure == "");
  }
  return total;
}

}  // namespace

TEST_CASE("through all faults no write goes astray and no read misses the write it must see") {
  const auto total = live(fewer_under_sanitizer(1500U), 400, {});

  // It was not for want of trying.
  CHECK(total.writes > fewer_under_sanitizer(100'000U));
  CHECK(total.refused_writes > fewer_under_sanitizer(10'000U));
  CHECK(total.split_brains > fewer_under_sanitizer(1000U));
  CHECK(total.reads_on_replicas > fewer_under_sanitizer(50'000U));
  CHECK(total.reads_on_primary > fewer_under_sanitizer(10'000U));
  CHECK(total.asks > fewer_under_sanitizer(10'000U));
  CHECK(total.lost_tokens > fewer_under_sanitizer(1000U));
}

TEST_CASE("the same without the right to see timelines and histories, with more on the primary") {
  const auto blind =
      live(fewer_under_sanitizer(500U), 400, {.is_monitor = false, .reads_history = false});
  const auto half_blind = live(fewer_under_sanitizer(500U), 400, {.reads_history = false});

  CHECK(blind.writes > fewer_under_sanitizer(10'000U));
  CHECK(blind.reads_on_replicas == 0);
  CHECK(half_blind.reads_on_replicas > fewer_under_sanitizer(10'000U));
}

TEST_CASE("without faults everybody is served, and bounded reads see what is old enough") {
  const auto total = live(fewer_under_sanitizer(500U), 200, {.has_faults = false});

  CHECK(total.split_brains == 0);
  CHECK(total.writes > fewer_under_sanitizer(95'000U));
  CHECK(total.bounded_on_replicas > fewer_under_sanitizer(20'000U));
  CHECK(total.reads_on_replicas > fewer_under_sanitizer(50'000U));
}

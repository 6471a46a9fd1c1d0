#pragma once

// What a simulated client knows of its hosts: the real host_board, told by a monitor and by calls,
// and the pools that follow it.

#include "simulated_cluster.hpp"
#include "simulated_pool.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace test {

struct life {
  /// Whether the client may see timelines of standbys and read history files.
  bool is_monitor = true;
  bool reads_history = true;
  cluster_life cluster = {};
};

class simulated_watch {
 public:
  /// The first promise that was broken; empty while all are kept.
  std::string failure;

 protected:
  /// What the checker remembers of what the board was told.
  struct hearsay {
    std::optional<host_sample> last;
    time_point no_primary_since = time_point::min();
    bool is_doubted = false;
  };

  simulated_watch(std::uint64_t seed, life how)
      : how_(how),
        random_(seed),
        cluster_(random_, 2 + seed % 4, how.cluster),
        heard_(cluster_.hosts().size()),
        monitored_(cluster_.hosts().size()),
        probes_(cluster_.hosts().size()) {
    for (std::size_t i = 0; i < cluster_.hosts().size(); ++i) {
      board_.add({.host = "h" + std::to_string(i)}, time_.now);
      pools_.push_back(std::make_unique<simulated_pool>(
          time_, random_, cluster_.hosts()[i], [this, i](host_error what) { error(i, what); }));
    }
  }

  void step() {
    time_.run_until(time_.now + 50ms);
    cluster_.step(time_.now);
    for (std::size_t host = 0; host < probes_.size(); ++host) probe(host);
    if (how_.reads_history && board_.wants_history()) read_history();
    for (std::size_t host = 0; host < pools_.size(); ++host) check_pool(host);
  }

  void fail(std::string what, host_id host) {
    if (!failure.empty()) return;
    failure = std::move(what) + " h" + std::to_string(host) + " at " +
              std::to_string((time_.now - at(0s)) / 1ms) + " ms: " + board_.describe(time_.now);
  }

  void check_pool(host_id host) {
    pools_[host]->check();
    if (!pools_[host]->fault().empty()) fail(pools_[host]->fault() + ", in the pool of", host);
  }

  std::size_t below(std::size_t n) { return random_() % n; }
  nanoseconds some_time() { return 100us * (1 + below(30)); }

  void error(host_id host, host_error what) {
    heard_[host].is_doubted = true;
    if (what != host_error::lost) heard_[host].no_primary_since = time_.now;
    board_.error_seen(host, what, "an error", time_.now);
    settle();
  }

  /// The pool of a primary that is none any more gives up its connections.
  void settle() {
    const auto route = board_.writer(time_.now);
    if (!route || route.generation == settled_generation_) return;
    settled_generation_ = route.generation;
    const auto old = std::exchange(settled_writer_, route.host);
    if (old) pools_[*old]->evict_all(route.generation);
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
    const auto now = time_.now;
    if (!probe && board_.probe_at(id, now) <= now) {
      board_.probe_began(id, now);
      if (host.is_reachable && !host.is_up) return monitor_failed(id, host_error::refused);
      const nanoseconds longest = below(10) == 0 ? 2500ms : 90ms;
      probe = {now, now + longest * below(8) / 8, monitored_[id], std::nullopt};
    }
    if (!probe) return;
    // The truth of any moment between the question and the answer.
    if (host.answers() && host.incarnation == probe->incarnation &&
        (!probe->answer || below(2) == 0)) {
      probe->answer = truth_of(id, probe->asked_at);
    }
    if (now < probe->arrives_at) return;
    const auto done = *std::exchange(probe, std::nullopt);
    if (!done.answer || !host.answers() || host.incarnation != done.incarnation) {
      return monitor_failed(id, host_error::lost);
    }
    if (std::exchange(heard_[id].is_doubted, false)) pools_[id]->reachable();
    auto& heard = heard_[id].last;
    if (!heard || done.answer->asked_at >= heard->asked_at) heard = done.answer;
    board_.sample(id, *done.answer, now);
    settle();
  }

  /// Its next question goes over a new connection.
  void monitor_failed(host_id id, host_error what) {
    monitored_[id] = cluster_.hosts()[id].incarnation;
    error(id, what);
  }

  void read_history() {
    const auto route = board_.writer(time_.now);
    if (!route || !cluster_.hosts()[route.host].answers()) return;
    const auto& host = cluster_.hosts()[route.host];
    if (host.in_recovery || host.timeline != heard_[route.host].last->timeline) return;
    std::vector<timeline_switch> ancestors;
    for (const auto& a : host.ancestors)
      ancestors.push_back({a.timeline, {a.left_at}, {a.left_at}});
    board_.learn_history(host.timeline, std::move(ancestors));
    histories_read_.insert(host.timeline);
  }

  bool was_told_of_primary(host_id id) const {
    const auto& heard = heard_[id];
    return heard.last && !heard.last->in_recovery && heard.last->asked_at > heard.no_primary_since;
  }
  bool is_known_primary(host_id id) const {
    return was_told_of_primary(id) &&
           time_.now - heard_[id].last->asked_at <= board_.params().evidence_lease;
  }

  /// An answer tells it too.
  void note_role(host_id host) {
    const bool in_recovery = cluster_.hosts()[host].in_recovery;
    if (in_recovery && was_told_of_primary(host)) heard_[host].no_primary_since = time_.now;
    board_.parameter_status(host, {.in_hot_standby = in_recovery}, time_.now);
    settle();
  }

  const life how_;
  agenda time_;
  std::mt19937_64 random_;
  mutable simulated_cluster cluster_;
  host_board board_{{}};
  std::vector<std::unique_ptr<simulated_pool>> pools_;
  std::vector<hearsay> heard_;
  /// The servers at the other ends of the monitor's connections.
  std::vector<unsigned> monitored_;
  std::set<std::uint32_t> histories_read_;

 private:
  struct probe_under_way {
    time_point asked_at;
    time_point arrives_at;
    unsigned incarnation;
    std::optional<host_sample> answer;
  };

  std::vector<std::optional<probe_under_way>> probes_;
  std::uint64_t settled_generation_ = 0;
  std::optional<host_id> settled_writer_;
};

}  // namespace test

#pragma once

// A primary and its standbys as they really are: what the simulation's client cannot see but by
// asking. Promotions fork the log; a fork has an identity of its own besides its timeline number,
// which two forks may share.

#include "host_board_view.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

namespace test {

/// A write that was acknowledged.
struct true_write {
  std::size_t fork;
  std::uint32_t timeline;
  std::uint64_t position;
  time_point when;
};

struct true_host {
  struct ancestor {
    std::size_t fork;
    std::uint32_t timeline;
    std::uint64_t left_at;
  };

  bool is_up = true;
  bool is_reachable = true;
  /// Stopped by SIGSTOP: connections stay, nothing happens.
  bool is_frozen = false;
  bool in_recovery = true;
  bool is_paused = false;
  std::size_t fork = 0;
  std::uint32_t timeline = 1;
  std::vector<ancestor> ancestors;
  std::uint64_t position = 100;
  /// On disk, replayed or not: what survives whatever happens to the host.
  std::uint64_t received = 100;
  /// Whether its WAL receiver runs, so that it tells its timeline.
  bool is_streaming = false;
  /// Connections to an earlier one are dead, which is heard by using them.
  unsigned incarnation = 0;
  time_point next_change = time_point::max();

  bool runs() const { return is_up && !is_frozen; }
  bool answers() const { return runs() && is_reachable; }

  const ancestor* find(std::size_t which) const {
    const auto found = std::find_if(ancestors.begin(), ancestors.end(),
                                    [&](const auto& a) { return a.fork == which; });
    return found == ancestors.end() ? nullptr : &*found;
  }

  bool has(const true_write& write) const {
    if (position < write.position) return false;
    if (fork == write.fork) return true;
    const auto* left = find(write.fork);
    return left != nullptr && write.position <= left->left_at;
  }
};

struct cluster_life {
  bool has_faults = true;
  /// A number of standbys have a write before it is acknowledged, and who promotes one sees enough
  /// of them that none is lost. Else anybody is promoted, and timeline numbers repeat.
  bool is_synchronous = false;
};

class simulated_cluster {
 public:
  simulated_cluster(std::mt19937_64& random, std::size_t hosts, cluster_life life)
      : random_(random), life_(life), hosts_(hosts) {
    hosts_.front().in_recovery = false;
    forks_of_[1] = {0};
    if (life.is_synchronous) confirmations_ = 1 + below(hosts - 1);
  }

  std::vector<true_host>& hosts() { return hosts_; }

  void step(time_point now) {
    for (auto& host : hosts_) {
      if (!host.runs()) continue;
      if (host.in_recovery) {
        replicate(host);
      } else {
        host.position += below(20);
      }
    }
    for (auto& host : hosts_) {
      if (now < host.next_change) continue;
      host.next_change = time_point::max();
      host.is_reachable = true;
      host.is_frozen = false;
      if (!host.is_up) revive(host);
    }
    if (life_.has_faults && below(12) == 0) disturb(now);
  }

  /// All faults end, and hosts that cannot follow the primary are made anew.
  void heal() {
    life_.has_faults = false;
    auto& primary = newest_primary();
    for (auto& host : hosts_) {
      host.is_up = host.is_reachable = true;
      host.is_frozen = host.is_paused = false;
      host.next_change = time_point::max();
    }
    for (auto& host : hosts_) {
      if (&host != &primary && (!host.in_recovery || !can_follow(host, primary))) {
        ++host.incarnation;
        rebuild(host, primary);
      }
    }
  }

  /// Whether it may be acknowledged, by `host`, on which it was made.
  bool is_confirmed(const true_write& write) const {
    const auto have = std::count_if(hosts_.begin(), hosts_.end(), [&](const auto& host) {
      return host.in_recovery && host.fork == write.fork && host.received >= write.position;
    });
    return static_cast<std::size_t>(have) >= confirmations_;
  }

  /// Of the timeline that has won, up or down.
  true_host& newest_primary() {
    return *std::find_if(hosts_.begin(), hosts_.end(), [this](const auto& host) {
      return !host.in_recovery && host.fork == newest_fork_;
    });
  }

  /// Two forks have its number: PostgreSQL's own names do not tell them apart.
  bool is_ambiguous(std::uint32_t timeline) const { return forks_of_.at(timeline).size() > 1; }
  bool is_ambiguous(const true_host& host) const {
    return is_ambiguous(host.timeline) ||
           std::any_of(host.ancestors.begin(), host.ancestors.end(),
                       [this](const auto& a) { return is_ambiguous(a.timeline); });
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  nanoseconds between(nanoseconds least, nanoseconds most) {
    return least + nanoseconds(below(static_cast<std::uint64_t>((most - least).count())));
  }

  void replicate(true_host& standby) {
    standby.is_streaming = false;
    true_host* source = nullptr;
    for (auto& host : hosts_) {
      if (!host.runs() || host.in_recovery || !can_follow(standby, host)) continue;
      if (source == nullptr || source->fork < host.fork) source = &host;
    }
    if (source != nullptr) {
      follow(standby, *source);
      standby.received =
          std::max(standby.received, std::min(source->position, standby.received + below(120)));
      standby.is_streaming = true;
    }
    if (!standby.is_paused) {
      standby.position += std::min(standby.received - standby.position, below(60));
    }
  }

  /// What it has replayed is part of the other's history.
  static bool can_follow(const true_host& standby, const true_host& source) {
    if (standby.fork == source.fork) return standby.position <= source.position;
    const auto* left = source.find(standby.fork);
    return left != nullptr && standby.position <= left->left_at;
  }

  static void follow(true_host& standby, const true_host& source) {
    if (standby.fork == source.fork) return;
    standby.received = std::min(standby.received, source.find(standby.fork)->left_at);
    standby.fork = source.fork;
    standby.timeline = source.timeline;
    standby.ancestors = source.ancestors;
  }

  void disturb(time_point now) {
    const auto i = below(hosts_.size());
    auto& host = hosts_[i];
    switch (below(7)) {
      case 0:
        return kill(host, now);
      case 1:
        host.is_reachable = false;
        return hold(host, now);
      case 2:
        if (!host.is_up) return;
        host.is_frozen = true;
        return hold(host, now);
      case 3:
        host.is_paused = !host.is_paused;
        return;
      default:
        if (below(3) != 0) return;
        if (life_.is_synchronous) return promote_furthest(now);
        if (host.runs() && host.in_recovery) promote(host, now);
    }
  }

  void hold(true_host& host, time_point now) {
    host.next_change = std::max(host.is_up ? time_point{} : now + 4s, now + between(100ms, 6s));
  }

  void kill(true_host& host, time_point now) {
    if (!host.is_up) return;
    host.is_up = false;
    host.is_frozen = false;
    ++host.incarnation;
    // Nobody hears of it across a partition, so that it takes longer than a lease.
    const nanoseconds longest = below(2) == 0 ? 100ms : 8s;
    host.next_change = now + (host.is_reachable ? between(0ms, longest) : between(4s, 8s));
  }

  /// Only where those that are seen have everything that was ever acknowledged, and nobody else is
  /// left who could confirm more of it to an old primary.
  void promote_furthest(time_point now) {
    true_host* best = nullptr;
    for (auto& host : hosts_) {
      if (!host.answers() || !host.in_recovery) continue;
      const bool is_further = best == nullptr || best->fork < host.fork ||
                              (best->fork == host.fork && best->received < host.received);
      if (is_further) best = &host;
    }
    if (best == nullptr) return;
    std::vector<true_host*> seen;
    for (auto& host : hosts_) {
      const auto* left = best->find(host.fork);
      const bool fits = host.fork == best->fork || (left && host.position <= left->left_at);
      if (host.answers() && host.in_recovery && fits) seen.push_back(&host);
    }
    if (seen.size() < hosts_.size() - confirmations_) return;
    promote(*best, now);
    for (auto* host : seen) {
      if (host != best) follow(*host, *best);
    }
  }

  void promote(true_host& host, time_point now) {
    // Mostly the old primary is stopped before.
    const bool is_fenced = below(4) != 0;
    for (auto& other : hosts_) {
      if (is_fenced && !other.in_recovery) kill(other, now);
    }
    // It replays all it has before it opens.
    host.position = host.received;
    for (auto& a : host.ancestors) a.left_at = std::min(a.left_at, host.position);
    host.ancestors.push_back({host.fork, host.timeline, host.position});
    host.fork = ++newest_fork_;
    const bool repeats = !life_.is_synchronous && below(6) == 0;
    host.timeline = repeats ? host.timeline + 1 : forks_of_.rbegin()->first + 1;
    forks_of_[host.timeline].insert(host.fork);
    host.in_recovery = false;
    host.is_paused = false;
  }

  void revive(true_host& host) {
    host.is_up = true;
    const auto other = std::find_if(hosts_.begin(), hosts_.end(), [&](const auto& h) {
      const bool may_lack = life_.is_synchronous && h.fork != newest_fork_;
      return &h != &host && h.is_up && !h.in_recovery && !may_lack;
    });
    const bool is_winner = !host.in_recovery && host.fork == newest_fork_;
    if (other != hosts_.end() && !is_winner && below(3) != 0) {
      rebuild(host, *other);
    } else if (host.in_recovery) {
      // A standby opens where it is consistent, which may be before where it was.
      host.position -= std::min(host.position - 1, below(30));
    }
    host.is_streaming = false;
  }

  /// Made anew from a backup of the primary, whose end it has yet to reach.
  void rebuild(true_host& host, const true_host& primary) {
    host.fork = primary.fork;
    host.timeline = primary.timeline;
    host.ancestors = primary.ancestors;
    host.position = primary.position - std::min(primary.position - 1, below(50));
    if (!host.ancestors.empty()) {
      host.position = std::max(host.position, host.ancestors.back().left_at);
    }
    host.received = primary.position;
    host.in_recovery = true;
  }

  std::mt19937_64& random_;
  cluster_life life_;
  std::size_t confirmations_ = 0;
  std::vector<true_host> hosts_;
  std::size_t newest_fork_ = 0;
  std::map<std::uint32_t, std::set<std::size_t>> forks_of_;
};

}  // namespace test

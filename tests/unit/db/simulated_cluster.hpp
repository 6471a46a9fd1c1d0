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
  bool in_recovery = true;
  bool is_paused = false;
  std::size_t fork = 0;
  std::uint32_t timeline = 1;
  std::vector<ancestor> ancestors;
  std::uint64_t position = 100;
  std::uint64_t received = 100;
  /// Whether its WAL receiver runs, so that it tells its timeline.
  bool is_streaming = false;
  unsigned incarnation = 0;
  time_point next_change = time_point::max();

  bool answers() const { return is_up && is_reachable; }

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

class simulated_cluster {
 public:
  simulated_cluster(std::mt19937_64& random, std::size_t hosts, bool has_faults)
      : random_(random), has_faults_(has_faults), hosts_(hosts) {
    hosts_.front().in_recovery = false;
    forks_of_[1] = {0};
  }

  std::vector<true_host>& hosts() { return hosts_; }

  /// The client hears of connections that die: (host).
  std::vector<std::size_t> step(time_point now) {
    lost_.clear();
    for (auto& host : hosts_) {
      if (host.is_up && !host.in_recovery) host.position += below(20);
      if (host.is_up && host.in_recovery) replicate(host);
    }
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      auto& host = hosts_[i];
      if (now < host.next_change) continue;
      host.next_change = time_point::max();
      host.is_reachable = true;
      if (!host.is_up) revive(host);
    }
    if (has_faults_ && below(12) == 0) disturb(now);
    return lost_;
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
    for (const auto& source : hosts_) {
      if (!source.is_up || source.in_recovery || !can_follow(standby, source)) continue;
      if (standby.fork != source.fork) {
        standby.fork = source.fork;
        standby.timeline = source.timeline;
        standby.ancestors = source.ancestors;
        standby.received = standby.position;
      }
      standby.received = std::min(source.position, standby.received + below(40));
      standby.is_streaming = true;
      break;
    }
    if (!standby.is_paused) {
      standby.position += std::min(standby.received - standby.position, below(40));
    }
  }

  static bool can_follow(const true_host& standby, const true_host& source) {
    if (standby.fork == source.fork) return standby.position <= source.position;
    const auto* left = source.find(standby.fork);
    return left != nullptr && standby.position <= left->left_at;
  }

  void disturb(time_point now) {
    const auto i = below(hosts_.size());
    auto& host = hosts_[i];
    switch (below(6)) {
      case 0:
        kill(i, now);
        break;
      case 1:
        host.is_reachable = false;
        host.next_change = std::max(host.is_up ? time_point{} : now + 4s, now + between(100ms, 6s));
        break;
      case 2:
        host.is_paused = !host.is_paused;
        break;
      default:
        if (host.is_up && host.in_recovery && below(3) == 0) promote(i, now);
    }
  }

  void kill(std::size_t i, time_point now) {
    auto& host = hosts_[i];
    if (!host.is_up) return;
    host.is_up = false;
    ++host.incarnation;
    // Nobody hears of it across a partition, so that it takes longer than a lease.
    const nanoseconds longest = below(2) == 0 ? 100ms : 8s;
    host.next_change = now + (host.is_reachable ? between(0ms, longest) : between(4s, 8s));
    if (host.is_reachable) lost_.push_back(i);
  }

  void promote(std::size_t i, time_point now) {
    // Mostly the old primary is stopped before.
    const bool is_fenced = below(4) != 0;
    for (std::size_t other = 0; is_fenced && other < hosts_.size(); ++other) {
      if (!hosts_[other].in_recovery) kill(other, now);
    }
    auto& host = hosts_[i];
    host.ancestors.push_back({host.fork, host.timeline, host.position});
    for (auto& a : host.ancestors) a.left_at = std::min(a.left_at, host.position);
    host.fork = ++newest_fork_;
    host.timeline = below(6) == 0 ? host.timeline + 1 : forks_of_.rbegin()->first + 1;
    forks_of_[host.timeline].insert(host.fork);
    host.received = host.position;
    host.in_recovery = false;
    host.is_paused = false;
  }

  void revive(true_host& host) {
    host.is_up = true;
    const auto other = std::find_if(hosts_.begin(), hosts_.end(), [&](const auto& h) {
      return &h != &host && h.is_up && !h.in_recovery;
    });
    if (other != hosts_.end() && below(3) != 0) {
      // Made anew from a backup of the primary.
      host.fork = other->fork;
      host.timeline = other->timeline;
      host.ancestors = other->ancestors;
      host.position = other->position - std::min(other->position - 1, below(50));
      if (!host.ancestors.empty()) {
        host.position = std::max(host.position, host.ancestors.back().left_at);
      }
      host.in_recovery = true;
    } else if (host.in_recovery) {
      // A standby opens where it is consistent, which may be before where it was.
      host.position -= std::min(host.position - 1, below(30));
    }
    host.received = host.position;
    host.is_streaming = false;
  }

  std::mt19937_64& random_;
  const bool has_faults_;
  std::vector<true_host> hosts_;
  std::vector<std::size_t> lost_;
  std::size_t newest_fork_ = 0;
  std::map<std::uint32_t, std::set<std::size_t>> forks_of_;
};

}  // namespace test

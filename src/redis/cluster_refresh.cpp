#include "redis/cluster_nodes.hpp"
#include "redis/map_question.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <set>
#include <utility>

// How a cluster's map is asked for, and what becomes of the nodes by it.
//
// The question outlives the client where it must: so it holds nothing of it, and what the client
// has in its event loop is let go of there.

namespace scalekit::redis::detail {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

/// For one node to tell the map.
constexpr std::chrono::nanoseconds answer_patience = 1s;
/// So many of those that are known are asked, then those of the URL.
constexpr std::size_t asked_at_most = 8;
/// A node that no map has is kept for so long after a redirect has named it: slots are on their way
/// to it.
constexpr std::chrono::nanoseconds named_for = 10s;

std::string text_of(const error& e) {
  const auto& d = e.diag();
  return d.client_message + (d.server_message.empty() ? "" : ": " + d.server_message);
}

}  // namespace

void cluster_nodes::want_map(const cluster_node* first) {
  std::vector<place> whom;
  {
    const std::lock_guard lock(mutex_);
    if (is_closed_ || !pace_.begin(steady_clock::now())) return;
    whom = whom_to_ask_locked(first);
  }
  refreshes_.add();
  try {
    exec_.post_work([door = way_back_, weak = weak_from_this(), whom = std::move(whom)] {
      refresh(*door, weak, whom);
    });
  } catch (const std::exception& e) {
    refreshed(e.what());
  }
}

/// In an order of chance: nobody is asked by all clients.
std::vector<place> cluster_nodes::whom_to_ask_locked(const cluster_node* first) {
  std::vector<place> whom;
  std::set<std::string> names;
  const auto add = [&](const place& where) {
    if (names.insert(where.name()).second) whom.push_back(where);
  };
  for (const auto& s : shards_) {
    add(s.master->where());
    for (const auto& each : s.replicas) add(each->where());
  }
  std::ranges::shuffle(whom, random);
  whom.resize(std::min(whom.size(), asked_at_most));
  if (first != nullptr) {
    std::erase_if(whom, [&](const place& p) { return p.name() == first->where().name(); });
    whom.insert(whom.begin(), first->where());
  }
  for (const auto& seed : seeds_) add(seed);
  return whom;
}

/// On the work executor. It never is the last to hold the nodes: their loop and their work pool are
/// not to be ended by a thread of their own.
void cluster_nodes::refresh(way_back& door, const std::weak_ptr<cluster_nodes>& weak,
                            const std::vector<place>& whom) {
  std::string why;
  for (const auto& where : whom) {
    try {
      std::shared_ptr<map_question> question;
      door.take(weak, [&](const std::shared_ptr<cluster_nodes>& self) {
        question = self->begin_question(where);
      });
      // The client has gone.
      if (!question) return;
      const auto map = question->ask(steady_clock::now() + answer_patience);
      if (map) {
        return door.take(weak, [&](const std::shared_ptr<cluster_nodes>& self) {
          self->install(*map, where);
          self->refreshed({});
        });
      }
      why = where.name() + ": " + text_of(map.error());
    } catch (const std::exception& e) {
      why = where.name() + ": " + e.what();
    }
  }
  door.take(weak, [&](const std::shared_ptr<cluster_nodes>& self) { self->refreshed(why); });
}

std::shared_ptr<map_question> cluster_nodes::begin_question(const place& where) {
  auto question = std::make_shared<map_question>(target{
      .where = where, .is_protected = is_protected_, .params = params_, .reads_replica = false});
  const std::lock_guard lock(mutex_);
  if (is_closed_) return nullptr;
  question_ = question;
  return question;
}

void cluster_nodes::refreshed(const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    pace_.end(steady_clock::now(), random());
    map_failure_ = why;
    question_.reset();
    if (is_closed_) return;
  }
  if (why.empty()) return;
  log(log_level::warning, "redis.cluster.map_failed",
      "no node has told the slot map; the last that was asked: " + why);
}

void cluster_nodes::install(const slot_map& map, const place& told_by) {
  std::size_t replicas = 0;
  std::size_t gone = 0;
  {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return;
    std::vector<shard> shards;
    for (const auto& each : map.shards) {
      auto& s = shards.emplace_back(shard{at_locked(each.master)});
      for (const auto& where : each.replicas) s.replicas.push_back(at_locked(where));
      replicas += s.replicas.size();
    }
    std::array<std::uint16_t, slot_count> owner;
    owner.fill(nobody);
    for (const auto& range : map.ranges) {
      std::fill(owner.begin() + range.first, owner.begin() + range.last + 1,
                static_cast<std::uint16_t>(range.shard));
    }
    const bool differs = differs_locked(shards, owner);
    shards_.swap(shards);
    owner_ = owner;
    auto dropped = drop_others_locked();
    gone = dropped.size();
    if (gone > 0) boost::asio::post(io_.executor(), [dropped = std::move(dropped)] {});
    if (!differs) return;
    ++generation_;
    wake_all_locked();
  }
  log(log_level::info, "redis.cluster.map",
      std::to_string(map.shards.size()) + " masters and " + std::to_string(replicas) +
          " replicas, as " + told_by.name() + " says; " + std::to_string(gone) +
          " nodes have gone");
}

bool cluster_nodes::differs_locked(const std::vector<shard>& shards,
                                   const std::array<std::uint16_t, slot_count>& owner) const {
  const auto master = [](const auto& of, std::uint16_t at) {
    return at == nobody ? nullptr : of[at].master.get();
  };
  for (std::size_t slot = 0; slot < owner.size(); ++slot) {
    if (master(shards, owner[slot]) != master(shards_, owner_[slot])) return true;
  }
  return false;
}

/// Their calls end where they are; nobody finds them any more.
std::vector<node_ptr> cluster_nodes::drop_others_locked() {
  std::set<node_ptr> kept;
  for (const auto& s : shards_) {
    kept.insert(s.master);
    kept.insert(s.replicas.begin(), s.replicas.end());
  }
  std::vector<node_ptr> dropped;
  const auto now = steady_clock::now();
  std::erase_if(nodes_, [&](const auto& entry) {
    const auto& node = entry.second;
    if (kept.contains(node) || now - node->named < named_for) return false;
    auto s = node->statistics();
    s.shared = s.large = s.blocking = {};
    s.direct = s.direct_busy = 0;
    add_up(past_, s);
    dropped.push_back(node);
    return true;
  });
  return dropped;
}

}  // namespace scalekit::redis::detail

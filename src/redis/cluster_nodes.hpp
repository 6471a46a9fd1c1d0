#pragma once

#include "core/io_home.hpp"
#include "redis/cluster_node.hpp"
#include "redis/cluster_url.hpp"
#include "redis/key_slot.hpp"
#include "redis/refresh_pace.hpp"
#include "redis/site.hpp"
#include "redis/slot_map.hpp"
#include "redis/way_back.hpp"
#include "scalekit/core/random.hpp"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

namespace scalekit::redis::detail {

class map_question;

/// Something that waits for another slot map.
class map_waiter {
 public:
  virtual ~map_waiter() = default;
  /// Another map is there, or none will be: the client was closed.
  virtual void wake() = 0;
};

/// The nodes of a cluster, and which of them has which slot.
///
/// The map is asked for on the work executor, of one node after the other until one has answered,
/// and never twice at a time. A redirect corrects the one slot it is about.
///
/// Thread safety: every member may be called from any thread.
class cluster_nodes : public std::enable_shared_from_this<cluster_nodes> {
 public:
  cluster_nodes(cluster_target to, scalekit::execution exec);

  const client_params& params() const noexcept { return params_; }
  const scalekit::execution& execution() const noexcept { return exec_; }
  const std::string& name() const noexcept { return name_; }
  /// Where timers live.
  boost::asio::any_io_executor timer_executor() { return io_.executor(); }

  struct wanted {
    /// Nothing: any master.
    std::optional<std::uint16_t> slot = {};
    /// A replica, which is the so-manyth that is tried; nothing: the master.
    std::optional<std::uint64_t> replica = {};
    /// How many were tried before.
    std::uint64_t tried = 0;
  };
  struct found {
    node_ptr node = {};
    bool is_replica = false;
    /// Of the map that says so.
    std::uint64_t generation = 0;
  };
  /// Null: there is no map. With no replica left it is the master.
  found find(const wanted& what);

  /// The node there, which may be new. Null: there are too many already.
  node_ptr at(const place& where);

  /// `to` has that slot.
  void correct(std::uint16_t slot, const node_ptr& to);

  /// Has the map asked for, unless it is too soon; `first` of all, where that is not null: a node
  /// that is said to have a slot knows so, while others may not have heard of it. Does not wait.
  void want_map(const cluster_node* first = nullptr);
  /// Why there is none; empty: nobody was asked yet.
  std::string map_failure() const;

  /// Counts the maps that differed from the one before.
  std::uint64_t generation() const;
  /// Sleeps until then; ends when there is another map than that of `seen`, or by `stop`.
  void sleep(time_point until, std::uint64_t seen, const std::stop_token& stop);
  /// To be woken once. False: there is another map than that of `seen` already.
  bool add_waiter(const std::shared_ptr<map_waiter>& w, std::uint64_t seen);
  void remove_waiter(const map_waiter& w);

  bool is_closed() const;
  /// What waits is woken, and what is under way ends.
  void close();
  /// The client has gone, and nobody needs what it has in its event loop.
  void let_go() noexcept;
  client_statistics statistics() const;

  void log(log_level level, std::string_view event, std::string_view message) const noexcept;

  counters counted;
  counter moved, asked;
  /// Calls that have not ended.
  std::atomic<std::size_t> under_way{0};
  random_generator random;

 private:
  struct shard {
    node_ptr master;
    std::vector<node_ptr> replicas = {};
  };
  static constexpr std::uint16_t nobody = 0xffff;

  // Precondition of those with a name in _locked: mutex_ is held.

  node_ptr at_locked(const place& where);
  std::vector<place> whom_to_ask_locked(const cluster_node* first);
  static void refresh(way_back& door, const std::weak_ptr<cluster_nodes>& weak,
                      const std::vector<place>& whom);
  /// Null: it is closed.
  std::shared_ptr<map_question> begin_question(const place& where);
  /// `why` not; empty: the map was taken.
  void refreshed(const std::string& why);
  void install(const slot_map& map, const place& told_by);
  bool differs_locked(const std::vector<shard>& shards,
                      const std::array<std::uint16_t, slot_count>& owner) const;
  std::vector<node_ptr> drop_others_locked();
  void wake_all_locked();

  const std::vector<place> seeds_;
  const bool is_protected_;
  const client_params params_;
  const scalekit::execution exec_;
  const std::string name_;
  scalekit::detail::io_home io_;
  counter refreshes_;
  /// Of who asks for the map. Locked before mutex_ where both are.
  const std::shared_ptr<way_back> way_back_ = std::make_shared<way_back>();

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  /// Of the nodes, which live in the client's event loop. Made with the first of them.
  std::optional<scalekit::execution> node_exec_;
  std::map<std::string, node_ptr> nodes_;
  std::vector<shard> shards_;
  std::array<std::uint16_t, slot_count> owner_;
  std::uint64_t generation_ = 0;
  refresh_pace pace_;
  std::string map_failure_;
  /// That is being asked.
  std::shared_ptr<map_question> question_;
  std::unordered_map<const map_waiter*, std::weak_ptr<map_waiter>> waiters_;
  /// Of nodes that have gone.
  client_statistics past_;
  bool is_closed_ = false;
};

}  // namespace scalekit::redis::detail

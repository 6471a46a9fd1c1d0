#pragma once

#include "support/redis/server.hpp"
#include "support/reserved_port.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace support::redis {

struct cluster_params {
  /// When not empty, everybody has to say it; the nodes too.
  std::string password{};
  /// Each with a third of the slots, and one replica where there are any.
  bool has_replicas = true;
  /// Survives a restart of its nodes.
  bool durable = false;
};

/// A real Redis Cluster of the test's own: three masters with the slots 0 to 5461, 5462 to 10922
/// and 10923 to 16383, and a replica of each. Nodes 0 to 2 are the masters at first, 3 to 5 their
/// replicas, in that order.
///
/// A node that does not answer for half a second is taken for dead by the others. Every wait ends
/// within a minute; what fails throws std::runtime_error. One thread at a time.
class cluster {
 public:
  /// Returns once all nodes agree that the cluster is well.
  explicit cluster(cluster_params params = {});

  /// redis+cluster://[:password@]127.0.0.1:PORT,...
  std::string url() const;
  /// By that node alone.
  std::string url_of(std::size_t node) const;

  std::size_t size() const noexcept { return nodes_.size(); }
  server& node(std::size_t i) { return *nodes_.at(i); }
  std::string id(std::size_t node) const;

  /// Who has the slot, as `asked` says.
  std::size_t master_of(std::uint16_t slot, std::size_t asked) const;
  std::uint16_t slot_of(const std::string& key);
  /// `prefix` and a number: a key of that master's slots, as they are at first.
  std::string key_on(std::size_t node, const std::string& prefix = "key:");

  // A slot's way from one node to the other, as resharding goes. Between the steps it is half here
  // and half there.

  void begin_move(std::uint16_t slot, std::size_t from, std::size_t to);
  void move_keys(std::uint16_t slot, std::size_t from, std::size_t to);
  /// Told to both, and to no other master.
  void end_move(std::uint16_t slot, std::size_t from, std::size_t to);

  /// Until every node that runs says that the cluster is well, and all agree on the slots.
  void wait_until_well() const;
  /// Until the replica of the master `node` has what that has now.
  void wait_until_followed(std::size_t node) const;
  /// Until the replica `node` is a master.
  void wait_until_master(std::size_t node) const;

 private:
  std::string ask(std::size_t node, const std::vector<std::string>& command) const;
  /// The same; throws where the answer is no OK.
  void tell(std::size_t node, const std::vector<std::string>& command) const;
  bool is_well() const;

  const cluster_params params_;
  std::vector<std::unique_ptr<reserved_port>> bus_ports_;
  std::vector<std::unique_ptr<server>> nodes_;
};

}  // namespace support::redis

#include "support/redis/cluster.hpp"

#include "support/wait_until.hpp"

#include <set>
#include <sstream>
#include <stdexcept>

namespace support::redis {
namespace {

constexpr std::size_t masters = 3;
constexpr std::size_t slots = 16384;

std::string first_slot_of(std::size_t node) {
  return std::to_string((slots * node + masters - 1) / masters);
}

std::string last_slot_of(std::size_t node) {
  return std::to_string((slots * (node + 1) + masters - 1) / masters - 1);
}

std::uint64_t number_after(const std::string& text, const std::string& name) {
  const auto at = text.find(name);
  return at == text.npos ? 0 : std::stoull(text.substr(at + name.size()));
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

cluster::cluster(cluster_params params) : params_(std::move(params)) {
  const auto count = params_.has_replicas ? 2 * masters : masters;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& bus = bus_ports_.emplace_back(std::make_unique<reserved_port>());
    server_params one{.password = params_.password,
                      .durable = params_.durable,
                      .more = {{"cluster-enabled", "yes"},
                               {"cluster-config-file", "nodes.conf"},
                               {"cluster-port", std::to_string(bus->number())},
                               {"cluster-node-timeout", "500"},
                               {"cluster-replica-validity-factor", "0"},
                               {"cluster-allow-replica-migration", "no"},
                               {"repl-diskless-sync-delay", "0"},
                               // A replica that has heard nothing yet is in no slot map.
                               {"repl-ping-replica-period", "1"}}};
    if (!params_.password.empty()) one.more.emplace_back("masterauth", params_.password);
    nodes_.push_back(std::make_unique<server>(std::move(one)));
  }
  for (std::size_t i = 0; i < masters; ++i) {
    tell(i, {"CLUSTER", "ADDSLOTSRANGE", first_slot_of(i), last_slot_of(i)});
  }
  for (std::size_t i = 0; i < count; ++i) {
    tell(i, {"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)});
  }
  for (std::size_t i = 1; i < count; ++i) {
    tell(0, {"CLUSTER", "MEET", "127.0.0.1", std::to_string(nodes_[i]->port()),
             std::to_string(bus_ports_[i]->number())});
  }
  const auto all_met = [&] {
    for (std::size_t i = 0; i < count; ++i) {
      const auto info = ask(i, {"CLUSTER", "INFO"});
      if (!has(info, "cluster_known_nodes:" + std::to_string(count))) return false;
      if (has(ask(i, {"CLUSTER", "NODES"}), "handshake")) return false;
    }
    return true;
  };
  if (!wait_until(all_met)) throw std::runtime_error("the nodes of a cluster did not meet");
  for (std::size_t i = masters; i < count; ++i) {
    tell(i, {"CLUSTER", "REPLICATE", id(i - masters)});
  }
  wait_until_well();
}

std::string cluster::url() const {
  std::string text = "redis+cluster://";
  if (!params_.password.empty()) text += ":" + params_.password + "@";
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    text += (i == 0 ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(nodes_[i]->port());
  }
  return text;
}

std::string cluster::url_of(std::size_t node) const {
  const auto login = params_.password.empty() ? "" : ":" + params_.password + "@";
  return "redis+cluster://" + login + "127.0.0.1:" + std::to_string(nodes_.at(node)->port());
}

std::string cluster::ask(std::size_t node, const std::vector<std::string>& command) const {
  return nodes_.at(node)->ask(command);
}

void cluster::tell(std::size_t node, const std::vector<std::string>& command) const {
  const auto answer = ask(node, command);
  if (answer != "OK" && answer != "NOKEY") {
    throw std::runtime_error(command[0] + " " + command[1] + ": " + answer);
  }
}

std::string cluster::id(std::size_t node) const {
  return ask(node, {"CLUSTER", "MYID"});
}

std::size_t cluster::master_of(std::uint16_t slot, std::size_t asked) const {
  // id address flags master ping pong epoch link, and then its slots and those on their way.
  std::istringstream lines(ask(asked, {"CLUSTER", "NODES"}));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string id, address, flags, word;
    words >> id >> address >> flags;
    for (int i = 0; i < 5; ++i) words >> word;
    while (words >> word) {
      if (word.front() == '[') continue;
      const auto dash = word.find('-');
      const auto first = std::stoul(word);
      const auto last = dash == word.npos ? first : std::stoul(word.substr(dash + 1));
      if (slot < first || slot > last) continue;
      for (std::size_t i = 0; i < nodes_.size(); ++i) {
        if (has(address, ":" + std::to_string(nodes_[i]->port()) + "@")) return i;
      }
    }
  }
  throw std::runtime_error("nobody has slot " + std::to_string(slot));
}

std::uint16_t cluster::slot_of(const std::string& key) {
  for (const auto& each : nodes_) {
    if (each->pid() <= 0) continue;
    return static_cast<std::uint16_t>(std::stoul(each->ask({"CLUSTER", "KEYSLOT", key})));
  }
  throw std::runtime_error("no node of the cluster runs");
}

std::string cluster::key_on(std::size_t node, const std::string& prefix) {
  const auto first = std::stoul(first_slot_of(node));
  const auto last = std::stoul(last_slot_of(node));
  for (int i = 0;; ++i) {
    auto key = prefix + std::to_string(i);
    const auto slot = slot_of(key);
    if (slot >= first && slot <= last) return key;
  }
}

void cluster::begin_move(std::uint16_t slot, std::size_t from, std::size_t to) {
  const auto number = std::to_string(slot);
  tell(to, {"CLUSTER", "SETSLOT", number, "IMPORTING", id(from)});
  tell(from, {"CLUSTER", "SETSLOT", number, "MIGRATING", id(to)});
}

void cluster::move_keys(std::uint16_t slot, std::size_t from, std::size_t to) {
  for (;;) {
    std::vector<std::string> command{"MIGRATE", "127.0.0.1", std::to_string(nodes_.at(to)->port()),
                                     "",        "0",         "10000"};
    if (!params_.password.empty()) command.insert(command.end(), {"AUTH", params_.password});
    command.emplace_back("KEYS");
    const auto bare = command.size();
    std::istringstream keys(ask(from, {"CLUSTER", "GETKEYSINSLOT", std::to_string(slot), "10"}));
    for (std::string key; std::getline(keys, key);) command.push_back(key);
    if (command.size() == bare) return;
    tell(from, command);
  }
}

void cluster::end_move(std::uint16_t slot, std::size_t from, std::size_t to) {
  for (const auto node : {to, from}) {
    tell(node, {"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", id(to)});
  }
}

bool cluster::is_well() const {
  std::set<std::string> maps;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i]->pid() <= 0) continue;
    if (!has(ask(i, {"CLUSTER", "INFO"}), "cluster_state:ok")) return false;
    const auto replication = ask(i, {"INFO", "replication"});
    if (has(replication, "role:slave") && !has(replication, "master_link_status:up")) return false;
    std::string map;
    for (std::uint16_t slot = 0; slot < slots; slot = static_cast<std::uint16_t>(slot + 1024)) {
      map += std::to_string(master_of(slot, i));
    }
    maps.insert(map);
    // Every replica is known to everybody.
    const auto told = ask(i, {"CLUSTER", "SLOTS"});
    for (const auto& each : nodes_) {
      if (each->pid() > 0 && !has(told, "\n" + std::to_string(each->port()) + "\n")) return false;
    }
  }
  return maps.size() == 1;
}

void cluster::wait_until_well() const {
  const auto is_so = [&] {
    try {
      return is_well();
    } catch (const std::runtime_error&) {
      return false;
    }
  };
  if (!wait_until(is_so)) throw std::runtime_error("the cluster did not become well");
}

void cluster::wait_until_followed(std::size_t node) const {
  const auto wanted = number_after(ask(node, {"INFO", "replication"}), "master_repl_offset:");
  const auto is_so = [&] {
    return number_after(ask(node + masters, {"INFO", "replication"}), "slave_repl_offset:") >=
           wanted;
  };
  if (!wait_until(is_so)) throw std::runtime_error("the replica did not follow");
}

void cluster::wait_until_master(std::size_t node) const {
  const auto is_so = [&] { return has(ask(node, {"ROLE"}), "master"); };
  if (!wait_until(is_so)) throw std::runtime_error("the replica did not take over");
}

}  // namespace support::redis

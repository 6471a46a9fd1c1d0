#include "support/postgres/cluster.hpp"

#include <stdexcept>
#include <utility>

namespace support::postgres {
namespace {

server_params params_of_node(const cluster_params& params, int i) {
  auto its = params.server;
  // Also its application_name, as a replica.
  its.more.emplace("cluster_name", "node" + std::to_string(i));
  return its;
}

settings settings_of(const cluster_params& params) {
  return {{"synchronous_standby_names", "ANY " + std::to_string(params.must_confirm) + " (*)"},
          {"synchronous_commit", params.mode == replication::remote_apply ? "remote_apply" : "on"}};
}

}  // namespace

cluster::cluster(cluster_params params) {
  nodes_.push_back(std::make_unique<server>(params_of_node(params, 0)));
  for (int i = 1; i <= params.replicas; ++i) {
    nodes_.push_back(server::standby_of(primary(), params_of_node(params, i)));
  }
  if (!primary().wait_for("select count(*) from pg_stat_replication where state = 'streaming'",
                          std::to_string(params.replicas))) {
    throw std::runtime_error("not every replica streams: " + nodes_.back()->log_tail());
  }
  if (params.mode == replication::asynchronous) return;
  for (auto& each : nodes_) each->reload(settings_of(params));
}

std::string cluster::url(const std::string& database) const {
  // Everything but the hosts is the same for all of them.
  auto text = nodes_.front()->url(database);
  std::string hosts;
  for (const auto& each : nodes_) {
    hosts += (hosts.empty() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(each->port());
  }
  const auto begin = text.find('@') + 1;
  return text.replace(begin, text.rfind('/') - begin, hosts);
}

void cluster::wait_until_caught_up() {
  const auto lsn = primary().query_one("select pg_current_wal_flush_lsn()");
  for (std::size_t i = 0; i < size(); ++i) {
    if (i != primary_ && node(i).pid() > 0) wait_for_replay(i, lsn);
  }
}

void cluster::wait_until_caught_up(std::size_t i) {
  wait_for_replay(i, primary().query_one("select pg_current_wal_flush_lsn()"));
}

void cluster::pause_replay(std::size_t i) {
  node(i).exec("select pg_wal_replay_pause()");
  if (!node(i).wait_for("select pg_get_wal_replay_pause_state()", "paused")) {
    throw std::runtime_error("replay does not pause: " + node(i).log_tail());
  }
}

void cluster::resume_replay(std::size_t i) {
  node(i).exec("select pg_wal_replay_resume()");
}

void cluster::set_apply_delay(std::size_t i, std::chrono::milliseconds delay) {
  node(i).reload({{"recovery_min_apply_delay", std::to_string(delay.count()) + "ms"}});
}

std::size_t cluster::furthest_of(std::size_t a, std::size_t b) {
  const auto other = node(b).query_one("select pg_last_wal_receive_lsn()");
  const bool is_a =
      node(a).query_one("select '" + other + "'::pg_lsn <= pg_last_wal_receive_lsn()") == "t";
  return is_a ? a : b;
}

void cluster::promote(std::size_t i) {
  node(i).promote();
  primary_ = i;
}

void cluster::follow_primary(std::size_t i) {
  node(i).follow(primary().socket_url());
}

void cluster::rebuild(std::size_t i) {
  node(i).become_standby_of(primary());
}

void cluster::wait_for_replay(std::size_t i, const std::string& lsn) {
  if (!node(i).wait_for("select pg_last_wal_replay_lsn() >= '" + lsn + "'", "t")) {
    throw std::runtime_error("node " + std::to_string(i) + " did not reach " + lsn + ": " +
                             node(i).log_tail());
  }
}

}  // namespace support::postgres

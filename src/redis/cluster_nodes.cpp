#include "redis/cluster_nodes.hpp"

#include "redis/map_question.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace scalekit::redis::detail {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

/// A node is not waited for longer than this: where it is away another may have its slots, and the
/// call is sent there. How long a call waits for all of them is client_params::acquire_timeout.
constexpr std::chrono::nanoseconds node_patience = 250ms;

/// Redirects make no more: what a thousand nodes have is a cluster's limit.
constexpr std::size_t most_nodes = 8192;

client_params params_of_node(client_params p) {
  p.acquire_timeout = std::min(p.acquire_timeout, node_patience);
  return p;
}

}  // namespace

cluster_nodes::cluster_nodes(cluster_target to, scalekit::execution exec)
    : seeds_(to.seeds),
      is_protected_(to.is_protected),
      params_(to.params),
      exec_(std::move(exec)),
      name_(to.name()),
      io_(exec_, "sk-redis-io"),
      pace_(params_.reconnect) {
  // What TLS cannot use is found here, not by the first call.
  if (is_protected_) static_cast<void>(tls_context(params_.tls));
  owner_.fill(nobody);
}

cluster_nodes::found cluster_nodes::find(const wanted& what) {
  const std::lock_guard lock(mutex_);
  if (shards_.empty()) return {.generation = generation_};
  auto at = what.slot ? owner_[*what.slot] : nobody;
  // Whoever is asked for what nobody has says so, or knows better.
  if (at == nobody) at = static_cast<std::uint16_t>(random() % shards_.size());
  const auto& s = shards_[at];
  if (what.replica && what.tried < s.replicas.size()) {
    return {s.replicas[(*what.replica + what.tried) % s.replicas.size()], true, generation_};
  }
  return {s.master, false, generation_};
}

node_ptr cluster_nodes::at(const place& where) {
  const std::lock_guard lock(mutex_);
  if (nodes_.size() >= most_nodes && !nodes_.contains(where.name())) return nullptr;
  auto node = at_locked(where);
  node->named = steady_clock::now();
  return node;
}

node_ptr cluster_nodes::at_locked(const place& where) {
  auto& node = nodes_[where.name()];
  if (node) return node;
  if (!node_exec_) {
    // One event loop for all of them.
    node_exec_ = exec_.io_executor() ? exec_ : scalekit::execution(io_.executor());
  }
  node = std::make_shared<cluster_node>(
      target{.where = where, .is_protected = is_protected_, .params = params_of_node(params_)},
      *node_exec_);
  return node;
}

void cluster_nodes::correct(std::uint16_t slot, const node_ptr& to) {
  const std::lock_guard lock(mutex_);
  const auto has = std::ranges::find(shards_, to, &shard::master);
  owner_[slot] = static_cast<std::uint16_t>(has - shards_.begin());
  if (has == shards_.end()) shards_.push_back({to});
}

std::uint64_t cluster_nodes::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

void cluster_nodes::sleep(time_point until, std::uint64_t seen, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, stop, until, [&] { return generation_ != seen || is_closed_; });
}

bool cluster_nodes::add_waiter(const std::shared_ptr<map_waiter>& w, std::uint64_t seen) {
  const std::lock_guard lock(mutex_);
  if (generation_ != seen || is_closed_) return false;
  waiters_.insert_or_assign(w.get(), w);
  return true;
}

void cluster_nodes::remove_waiter(const map_waiter& w) {
  const std::lock_guard lock(mutex_);
  waiters_.erase(&w);
}

/// In the event loop: what is woken there may be the last to hold what lives there.
void cluster_nodes::wake_all_locked() {
  changed_.notify_all();
  for (const auto& [key, weak] : std::exchange(waiters_, {})) {
    if (auto w = weak.lock()) {
      boost::asio::post(io_.executor(), [w = std::move(w)] { w->wake(); });
    }
  }
}

bool cluster_nodes::is_closed() const {
  const std::lock_guard lock(mutex_);
  return is_closed_;
}

void cluster_nodes::close() {
  std::map<std::string, node_ptr> nodes;
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    if (question_) question_->interrupt();
    wake_all_locked();
    nodes = nodes_;
  }
  for (const auto& [name, node] : nodes) node->close(0ns);
}

void cluster_nodes::let_go() noexcept {
  std::map<std::string, node_ptr> nodes;
  std::vector<shard> shards;
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    if (question_) question_->interrupt();
    nodes.swap(nodes_);
    shards.swap(shards_);
  }
  way_back_->close();
}

std::string cluster_nodes::map_failure() const {
  const std::lock_guard lock(mutex_);
  return map_failure_;
}

client_statistics cluster_nodes::statistics() const {
  const std::lock_guard lock(mutex_);
  auto s = past_;
  for (const auto& [name, node] : nodes_) add_up(s, node->statistics());
  s.server = name_;
  s.nodes = nodes_.size();
  counted.tell_calls(s);
  s.moved = moved.value();
  s.asked = asked.value();
  s.refreshes = refreshes_.value();
  return s;
}

void cluster_nodes::log(log_level level, std::string_view event,
                        std::string_view message) const noexcept {
  params_.log(level, event, message, {{"server.address", name_}});
}

}  // namespace scalekit::redis::detail

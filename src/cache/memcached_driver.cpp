#include "cache/memcached_driver.hpp"

#include "cache/memcached_names.hpp"
#include "cache/shared_frame.hpp"
#include "scalekit/core/error.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <utility>

namespace scalekit::cache::detail {
namespace {

using namespace std::chrono_literals;

/// As long as a placeholder waits for its value on Redis.
constexpr std::chrono::milliseconds lease_time = 60s;
/// For ever. What is looked at all the time is not evicted; should it be, a new one is made.
constexpr std::chrono::milliseconds epoch_time = 0ms;
/// Kept open while nobody uses them.
constexpr std::size_t most_idle = 16;
/// Attempts to put a placeholder while others change the key.
constexpr int claim_attempts = 3;

/// The server has no room for it, or it is too large: it answered, and stored nothing.
bool is_refusal(const error& e) {
  return e.code() == errc::disk_full || e.code() == errc::too_large;
}

}  // namespace

/// A connection for the time of one call.
class memcached_driver::lease {
 public:
  explicit lease(memcached_driver& of) : of_(of), connection_(of.take()) {}
  ~lease() {
    if (connection_->is_sound()) of_.give_back(std::move(connection_));
  }
  lease(const lease&) = delete;
  lease& operator=(const lease&) = delete;

  connection& operator*() noexcept { return *connection_; }

 private:
  memcached_driver& of_;
  std::unique_ptr<connection> connection_;
};

memcached_driver::memcached_driver(std::vector<memcached_host> hosts, std::string name_space)
    : hosts_(std::move(hosts)),
      name_(name_of(hosts_)),
      name_space_(std::move(name_space)),
      epoch_name_(name_space_ + ":e") {}

std::unique_ptr<memcached_connection> memcached_driver::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto last = std::move(idle_.back());
      idle_.pop_back();
      return last;
    }
  }
  return std::make_unique<connection>(hosts_, name_);
}

void memcached_driver::give_back(std::unique_ptr<connection> used) noexcept {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < most_idle) idle_.push_back(std::move(used));
}

std::string memcached_driver::name_for(std::string_view key) const {
  return memcached_name(name_space_, key);
}

shared_answer memcached_driver::run(const shared_request& what, const deadline& until) {
  lease used(*this);
  auto& c = *used;
  c.begin(until);
  switch (what.verb) {
    case shared_verb::find:
      return find(c, what.keys);
    case shared_verb::claim:
      return claim(c, what);
    case shared_verb::fill:
      return fill(c, what);
    case shared_verb::put:
      return put(c, what.items);
    case shared_verb::erase:
      for (const auto& key : what.keys) c.remove(name_for(key));
      break;
    case shared_verb::clear:
      clear(c);
      break;
  }
  return {};
}

void memcached_driver::start(const shared_request&, const deadline&, std::stop_token, callback) {
  throw error(errc::not_supported, "memcached is asked by calls that block");
}

std::string memcached_driver::epoch_of(connection& c, std::string_view group,
                                       const std::optional<connection::item>& seen) {
  if (seen) {
    if (is_epoch(seen->bytes)) return seen->bytes;
    auto fresh = random_bytes(random_, epoch_bytes);
    if (c.replace(group, epoch_name_, fresh, epoch_time, seen->cas)) return fresh;
  }
  auto fresh = random_bytes(random_, epoch_bytes);
  if (c.add(group, epoch_name_, fresh, epoch_time)) return fresh;
  const auto made = c.get(group, {epoch_name_});
  if (made[0] && is_epoch(made[0]->bytes)) return made[0]->bytes;
  throw error(errc::conflict, "the epoch of the cache's namespace changes all the time");
}

std::uint32_t memcached_driver::host_of(connection& c, const std::string& name) const {
  return hosts_.size() == 1 ? 0 : c.host_of(name);
}

shared_answer memcached_driver::find(connection& c, const std::vector<std::string>& keys) {
  shared_answer answer;
  answer.found.resize(keys.size());
  struct part {
    std::vector<std::string> names;
    std::vector<std::size_t> numbers;
  };
  std::map<std::uint32_t, part> by_host;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto name = name_for(keys[i]);
    auto& of_host = by_host[host_of(c, name)];
    if (of_host.names.empty()) of_host.names.push_back(epoch_name_);
    of_host.names.push_back(std::move(name));
    of_host.numbers.push_back(i);
  }
  for (auto& [host, asked] : by_host) {
    auto there = c.get(asked.names[1], asked.names);
    if (!there[0] || !is_epoch(there[0]->bytes)) continue;
    for (std::size_t n = 0; n < asked.numbers.size(); ++n) {
      auto& item = there[n + 1];
      if (!item || !is_alive(item->bytes, there[0]->bytes)) continue;
      answer.found[asked.numbers[n]] = std::move(item->bytes);
    }
  }
  return answer;
}

shared_answer memcached_driver::claim(connection& c, const shared_request& what) {
  const auto name = name_for(what.keys.at(0));
  for (int attempt = 0; attempt < claim_attempts; ++attempt) {
    const auto seen = c.get(name, {epoch_name_, name});
    const auto& there = seen[1];
    try {
      const auto epoch = epoch_of(c, name, seen[0]);
      if (there && is_alive(there->bytes, epoch)) return {.found = {there->bytes}};
      auto placeholder = make_placeholder(epoch, random_bytes(random_, token_bytes));
      const bool is_put = there ? c.replace(name, name, placeholder, lease_time, there->cas)
                                : c.add(name, name, placeholder, lease_time);
      if (is_put) return {.found = {std::move(placeholder)}};
    } catch (const error& e) {
      if (!is_refusal(e)) throw;
      break;
    }
  }
  return {.found = {std::nullopt}};
}

shared_answer memcached_driver::fill(connection& c, const shared_request& what) {
  const auto& item = what.items.at(0);
  const auto name = name_for(item.key);
  const auto epoch = std::string(parse_frame(what.expected).epoch);
  const auto seen = c.get(name, {epoch_name_, name});
  const auto& there = seen[1];
  // A clear between here and the swap leaves an entry of a dead epoch.
  if (!seen[0] || seen[0]->bytes != epoch || !there || !is_same(there->bytes, what.expected)) {
    return {.stored = {false}};
  }
  return {.stored = {c.replace(name, name, make_value(epoch, item.bytes), item.ttl, there->cas)}};
}

shared_answer memcached_driver::put(connection& c, const std::vector<shared_item>& items) {
  shared_answer answer;
  std::map<std::uint32_t, std::string> epochs;
  for (const auto& item : items) {
    const auto name = name_for(item.key);
    auto& epoch = epochs[host_of(c, name)];
    if (epoch.empty()) epoch = epoch_of(c, name, c.get(name, {epoch_name_})[0]);
    answer.stored.push_back(put_one(c, name, epoch, item));
  }
  return answer;
}

bool memcached_driver::put_one(connection& c, const std::string& name, const std::string& epoch,
                               const shared_item& item) {
  try {
    c.set(name, name, make_value(epoch, item.bytes), item.ttl);
    return true;
  } catch (const error& e) {
    if (!is_refusal(e)) throw;
  }
  c.remove(name);
  return false;
}

void memcached_driver::clear(connection& c) {
  // A name that means each host: its number is all that the library tells.
  std::map<std::uint32_t, std::string> groups;
  for (int i = 0; groups.size() < hosts_.size(); ++i) {
    auto group = std::to_string(i);
    const auto host = c.host_of(group);
    groups.try_emplace(host, std::move(group));
  }
  for (const auto& [host, group] : groups) {
    c.set(group, epoch_name_, random_bytes(random_, epoch_bytes), epoch_time);
  }
}

std::unique_ptr<shared_driver> open_memcached_driver(const store_params& params) {
  return std::make_unique<memcached_driver>(memcached_hosts(params.shared),
                                            params.shared_namespace);
}

}  // namespace scalekit::cache::detail

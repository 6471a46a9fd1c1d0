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

std::string memcached_driver::random_bytes(std::size_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    const auto number = random_();
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  bytes.resize(size);
  return bytes;
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
                                       const connection::items& seen) {
  if (const auto known = seen.find(epoch_name_); known != seen.end()) {
    if (is_epoch(known->second.bytes)) return known->second.bytes;
    auto fresh = random_bytes(epoch_bytes);
    if (c.replace(group, epoch_name_, fresh, epoch_time, known->second.cas)) return fresh;
  }
  auto fresh = random_bytes(epoch_bytes);
  if (c.add(group, epoch_name_, fresh, epoch_time)) return fresh;
  const auto made = c.get(group, {epoch_name_});
  const auto known = made.find(epoch_name_);
  if (known != made.end() && is_epoch(known->second.bytes)) return known->second.bytes;
  throw error(errc::conflict, "the epoch of the cache's namespace changes all the time");
}

shared_answer memcached_driver::find(connection& c, const std::vector<std::string>& keys) {
  shared_answer answer;
  answer.found.resize(keys.size());
  std::map<std::uint32_t, std::vector<std::size_t>> by_host;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    names.push_back(name_for(keys[i]));
    by_host[c.host_of(names.back())].push_back(i);
  }
  for (const auto& [host, numbers] : by_host) {
    std::vector<std::string> asked{epoch_name_};
    for (const auto i : numbers) asked.push_back(names[i]);
    auto seen = c.get(asked[1], asked);
    const auto epoch = seen.find(epoch_name_);
    if (epoch == seen.end() || !is_epoch(epoch->second.bytes)) continue;
    for (const auto i : numbers) {
      const auto there = seen.find(names[i]);
      if (there == seen.end() || !is_alive(there->second.bytes, epoch->second.bytes)) continue;
      answer.found[i] = there->second.bytes;
    }
  }
  return answer;
}

shared_answer memcached_driver::claim(connection& c, const shared_request& what) {
  const auto name = name_for(what.keys.at(0));
  for (int attempt = 0; attempt < claim_attempts; ++attempt) {
    const auto seen = c.get(name, {epoch_name_, name});
    try {
      const auto epoch = epoch_of(c, name, seen);
      const auto there = seen.find(name);
      if (there != seen.end() && is_alive(there->second.bytes, epoch)) {
        return {.found = {there->second.bytes}};
      }
      auto placeholder = make_placeholder(epoch, random_bytes(token_bytes));
      const bool is_put = there == seen.end()
                              ? c.add(name, name, placeholder, lease_time)
                              : c.replace(name, name, placeholder, lease_time, there->second.cas);
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
  const auto known = seen.find(epoch_name_);
  const auto there = seen.find(name);
  // A clear between here and the swap leaves an entry of a dead epoch.
  if (known == seen.end() || known->second.bytes != epoch || there == seen.end() ||
      !is_same(there->second.bytes, what.expected)) {
    return {.stored = {false}};
  }
  return {.stored = {
              c.replace(name, name, make_value(epoch, item.bytes), item.ttl, there->second.cas)}};
}

shared_answer memcached_driver::put(connection& c, const std::vector<shared_item>& items) {
  shared_answer answer;
  std::map<std::uint32_t, std::string> epochs;
  for (const auto& item : items) {
    const auto name = name_for(item.key);
    auto& epoch = epochs[c.host_of(name)];
    if (epoch.empty()) epoch = epoch_of(c, name, c.get(name, {epoch_name_}));
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
    c.set(group, epoch_name_, random_bytes(epoch_bytes), epoch_time);
  }
}

std::unique_ptr<shared_driver> open_memcached_driver(const store_params& params) {
  return std::make_unique<memcached_driver>(memcached_hosts(params.shared),
                                            params.shared_namespace);
}

}  // namespace scalekit::cache::detail

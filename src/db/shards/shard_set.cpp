#include "scalekit/db/detail/shard_set.hpp"

#include "db/call_site.hpp"
#include "db/shards/fence.hpp"
#include "db/shards/map_age.hpp"
#include "db/shards/map_store.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/system_executor.hpp>

#include <algorithm>
#include <set>

namespace scalekit::db::detail {
namespace {

using namespace std::chrono_literals;

time_point now() {
  return std::chrono::steady_clock::now();
}

std::map<std::string, client, std::less<>> by_name(named_clients clients) {
  std::map<std::string, client, std::less<>> out;
  for (auto& [name, each] : clients) {
    if (!out.try_emplace(name, std::move(each)).second) {
      throw error(errc::invalid_argument, "shards: two clients are named '" + name + "'");
    }
  }
  return out;
}

/// 2 ms, 4 ms and so on to 64 ms: a switch takes a few.
std::chrono::nanoseconds pause_of(unsigned attempt) {
  return 2ms * (1 << std::min(attempt, 5u));
}

}  // namespace

shard_set::shard_set(named_clients clients, shard_map map, std::optional<client> home,
                     shards_params params, time_point confirmed)
    : clients_(by_name(std::move(clients))),
      home_(std::move(home)),
      params_(std::move(params)),
      next_refresh_(confirmed + params_.refresh) {
  require_clients(map);
  known_ = {std::make_shared<const shard_map>(std::move(map)), confirmed};
}

void shard_set::require_clients(const shard_map& map) const {
  for (const auto& name : map.names()) {
    if (clients_.contains(name)) continue;
    throw error(errc::invalid_argument, "shards: version " + std::to_string(map.version()) +
                                            " of the map names the shard '" + name +
                                            "', for which there is no client");
  }
}

const client& shard_set::client_of(std::string_view name) const {
  if (const auto at = clients_.find(name); at != clients_.end()) return at->second;
  throw error(errc::not_found, "shards: there is no shard '" + std::string(name) + "'");
}

known_map shard_set::current() {
  std::unique_lock lock(mutex_);
  if (!home_) return known_;
  const auto age = age_of(known_.confirmed, next_refresh_, params_, now());
  if (age == map_age::fresh) return known_;
  if (age == map_age::due) {
    next_refresh_ = now() + params_.refresh;
    auto known = known_;
    lock.unlock();
    start_refresh();
    return known;
  }
  lock.unlock();
  renew_lease();
  lock.lock();
  return known_;
}

void shard_set::renew_lease() {
  try {
    refresh();
  } catch (const error& e) {
    auto diag = e.diag();
    diag.client_message = "shards: the lease of the map, " + in_ms(params_.lease) +
                          ", is over and it cannot be looked up: " + diag.client_message;
    const bool is_callers = e.code() == errc::not_allowed || e.code() == errc::invalid_argument;
    throw error(is_callers ? e.code() : make_error_code(errc::unavailable), std::move(diag));
  }
}

shard_place shard_set::place(const shard_key& key) {
  auto by = current();
  auto name = by.map->shard_of(key);
  // A loader may say anything.
  const auto& its_client = client_of(name);
  return {std::move(by), std::move(name), its_client};
}

bool shard_set::was_there(const shard_place& at, const shard_key& key) {
  if (is_within_lease(at.by)) return true;
  // Rows that have moved may have been deleted there by now.
  renew_lease();
  return current().map->shard_of(key) == at.name;
}

void shard_set::require_place(const shard_place& at, const shard_key& key) {
  if (was_there(at, key)) return;
  throw error(make_error_code(errc::conflict),
              {.client_message = "shards: while the call was on shard '" + at.name +
                                 "', its keys have moved to another",
               .server_message = {},
               .backend_code = std::string(fence_sqlstate),
               .origin = {}});
}

void shard_set::refresh() {
  if (!home_) return;
  const auto asked = now();
  auto home = *home_;
  install(shard_map::parse(std::get<1>(load_map(home, params_.name))), asked);
}

void shard_set::start_refresh() {
  const auto asked = now();
  auto home = *home_;
  auto options = map_read_options();
  options.timeout = std::min<std::chrono::nanoseconds>(params_.lease, 5s);
  auto arrived = [self = shared_from_this(), asked](const std::exception_ptr& e,
                                                    const std::vector<stored_map>& rows) {
    if (e || rows.empty()) return;
    try {
      self->install(shard_map::parse(std::get<1>(rows.front())), asked);
    } catch (const error&) {
      // The lease goes on; who finds it over looks again, and gets the error.
    }
  };
  try {
    home.async_read<stored_map>(
        select_map(params_.name), std::move(options),
        boost::asio::bind_executor(boost::asio::system_executor(), std::move(arrived)));
  } catch (const error&) {
    // As above.
  }
}

void shard_set::install(shard_map map, time_point confirmed) {
  require_clients(map);
  const std::lock_guard lock(mutex_);
  if (map.version() < known_.map->version()) return;
  if (map.version() > known_.map->version())
    known_.map = std::make_shared<const shard_map>(std::move(map));
  known_.confirmed = std::max(known_.confirmed, confirmed);
  next_refresh_ = std::max(next_refresh_, known_.confirmed + params_.refresh);
  changed_.notify_all();
}

void shard_set::replace(shard_map map) {
  require_clients(map);
  const std::lock_guard lock(mutex_);
  if (map.version() <= known_.map->version()) {
    throw error(errc::conflict, "shards: version " + std::to_string(map.version()) +
                                    " of the map is not newer than version " +
                                    std::to_string(known_.map->version()) + ", which is in use");
  }
  known_.map = std::make_shared<const shard_map>(std::move(map));
  changed_.notify_all();
}

bool shard_set::is_within_lease(const known_map& by) {
  if (!home_ || now() - by.confirmed < params_.lease) return true;
  const std::lock_guard lock(mutex_);
  return known_.map->version() == by.map->version() && now() - known_.confirmed < params_.lease;
}

void shard_set::await_switch(const shard_map& map, const std::string& shard, deadline until,
                             unsigned attempt) {
  try {
    refresh();
  } catch (const error&) {
    // Then the pause is what is left to do.
  }
  std::unique_lock lock(mutex_);
  const auto is_newer = [&] { return known_.map->version() > map.version(); };
  if (is_newer()) return;
  if (until.expired()) {
    const auto& move = known_.map->move();
    throw error(errc::conflict,
                "shards: writes to these keys of shard '" + shard + "' are refused, by " +
                    (move ? "move '" + move->id + "', which is " +
                                std::string(to_string(move->phase)) + " and did not end in time"
                          : std::string("a fence that a move has left: the map, version ") +
                                std::to_string(known_.map->version()) + ", does not say why"));
  }
  changed_.wait_until(lock, std::min(until.when(), now() + pause_of(attempt)), is_newer);
}

switch_attempts::switch_attempts(shard_set& set,
                                 const std::optional<std::chrono::nanoseconds>& timeout)
    : set_(set) {
  if (timeout) whole_ = deadline::after(*timeout);
}

std::optional<std::chrono::nanoseconds> switch_attempts::timeout() const {
  if (!whole_) return std::nullopt;
  return whole_->remaining();
}

void switch_attempts::wait_or_rethrow(const error& e, const shard_place& at) {
  if (!is_fence(e)) throw;
  if (!until_) {
    until_ = deadline::after(set_.params().switch_wait);
    if (whole_) until_ = earlier(*until_, *whole_);
  }
  set_.await_switch(*at.by.map, at.name, *until_, attempt_++);
}

}  // namespace scalekit::db::detail

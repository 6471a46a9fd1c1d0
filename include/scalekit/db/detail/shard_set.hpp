#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/core/deadline.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/db/client.hpp"
#include "scalekit/db/shard_map.hpp"
#include "scalekit/db/shards_params.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scalekit::db::detail {

using named_clients = std::vector<std::pair<std::string, client>>;

/// A map, and when the lookup began that found it to be the newest.
struct known_map {
  std::shared_ptr<const shard_map> map;
  time_point confirmed;
};

/// Where a key lies, as of one version of the map.
struct shard_place {
  known_map by;
  std::string name;
  db::client client;
};

/// What all handles of the same shards share: their clients and the newest map.
///
/// Thread safety: every member may be called from any thread.
class SCALEKIT_EXPORT shard_set : public std::enable_shared_from_this<shard_set> {
 public:
  /// Without a home the map is this process' own.
  shard_set(named_clients clients, shard_map map, std::optional<client> home, shards_params params,
            time_point confirmed);

  /// The map that calls go by now. Looks it up again when it is due, and waits for that only when
  /// its lease is over; then it blocks, and throws what it throws there.
  known_map current();
  shard_place place(const shard_key& key);

  /// Throws errc::not_found, naming it.
  const client& client_of(std::string_view name) const;
  const std::map<std::string, client, std::less<>>& clients() const noexcept { return clients_; }
  const std::optional<client>& home() const noexcept { return home_; }
  const shards_params& params() const noexcept { return params_; }

  /// Looks the map up, on the calling thread.
  void refresh();
  /// A map that was the newest at `confirmed`; an older one than what is known is ignored. Throws
  /// errc::not_supported when it names a shard that has no client.
  void install(shard_map map, time_point confirmed);
  /// Of a map without a home. Throws errc::conflict when it is not newer.
  void replace(shard_map map);
  /// Whether what was read by it up to now may count.
  bool is_within_lease(const known_map& by);
  /// After a call that found no rows, or all that it needed, at a place: whether the key was there
  /// all the time. Looks the map up when the call has outlived its lease; then it blocks, and
  /// throws what it throws there.
  bool was_there(const shard_place& at, const shard_key& key);
  /// Throws what a fence throws when it was not.
  void require_place(const shard_place& at, const shard_key& key);

  /// After a write by `map` to `shard` was refused because its keys are moving: returns when it is
  /// worth trying again. Throws errc::conflict when `until` is over.
  void await_switch(const shard_map& map, const std::string& shard, deadline until,
                    unsigned attempt);

 private:
  void require_clients(const shard_map& map) const;
  void start_refresh();
  /// Throws errc::unavailable when the map cannot be looked up.
  void renew_lease();

  const std::map<std::string, client, std::less<>> clients_;
  const std::optional<client> home_;
  const shards_params params_;
  std::mutex mutex_;
  std::condition_variable changed_;
  known_map known_;
  time_point next_refresh_;
};

/// How often one call may be tried again while its keys are moving.
class SCALEKIT_EXPORT switch_attempts {
 public:
  switch_attempts(shard_set& set, const std::optional<std::chrono::nanoseconds>& timeout);

  /// What is left of the call's timeout, if it has one.
  std::optional<std::chrono::nanoseconds> timeout() const;
  /// Call it where `e` was caught: returns when the call may be tried again, or rethrows.
  void wait_or_rethrow(const error& e, const shard_place& at);

 private:
  shard_set& set_;
  std::optional<deadline> whole_;
  std::optional<deadline> until_;
  unsigned attempt_ = 0;
};

}  // namespace scalekit::db::detail

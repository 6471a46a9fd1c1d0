#pragma once

#include "cache/flight.hpp"
#include "cache/lane_counter.hpp"
#include "cache/tiers.hpp"
#include "scalekit/cache/store.hpp"
#include "scalekit/core/fork_guard.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

namespace scalekit::cache {

/// The body of a store: tiers, loads under way, and its life.
struct store::state {
  explicit state(store_params params) : execution(params.execution), table(params) {}

  /// What every call begins with.
  void enter(std::string_view call, std::string_view key, const call_options& options) const;
  void enter_blocking(std::string_view call, std::string_view key, const call_options& options,
                      bool always_blocks) const;

  /// Finds what is kept; counts a miss for `type` (0: none).
  detail::raw_lookup read(const detail::hashed_key& key, detail::value_port& port);

  /// A seat in the load of a key: what was found instead on a last look, or whose load it is.
  struct boarding {
    std::optional<detail::raw_lookup> found;
    detail::flight_table::seat seat;
  };
  boarding board(const detail::hashed_key& key, std::string_view type, detail::value_port& port);

  /// Joins the load of a key that is under way, if there is one.
  std::shared_ptr<detail::flight> join(const detail::hashed_key& key, std::string_view type);

  /// Throws errc::not_allowed when the calling thread is loading this very key.
  void refuse_own_key(std::string_view key) const;

  /// One who has just begun a load looks once more: another load may have ended since he looked,
  /// and what it gave was kept before it ended. If so, ends this one with it.
  std::optional<detail::raw_lookup> look_again(const std::shared_ptr<detail::flight>& load,
                                               const detail::hashed_key& key,
                                               const detail::tiers::place& at,
                                               detail::value_port& port);

  void finish(const std::shared_ptr<detail::flight>& load, const detail::hashed_key& key,
              const detail::load_outcome& outcome);

  /// Runs the loader of a load that the caller leads, keeps what it gave, and ends the load.
  detail::load_outcome lead(const std::shared_ptr<detail::flight>& load,
                            const detail::hashed_key& key, const policy& how,
                            const detail::raw_loader& loader, const deadline& until);

  /// What a load's end means for one who waited for it. Throws what the loader threw.
  detail::raw_lookup receive(const detail::load_outcome& outcome, detail::value_port& port);

  void count_miss(std::string_view type);
  void close() noexcept;

  scalekit::execution execution;
  fork_guard born;
  std::atomic<bool> closed{false};
  detail::tiers table;
  detail::flight_table flights;
  detail::lane_counter misses, sets;
  counter loads, absent, coalesced, abandoned, erases;
};

/// The error that calls to a closed store get.
error closed_error();

}  // namespace scalekit::cache

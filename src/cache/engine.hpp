#pragma once

#include "cache/flight.hpp"
#include "cache/lane_counter.hpp"
#include "cache/load_alarms.hpp"
#include "cache/load_costs.hpp"
#include "cache/load_request.hpp"
#include "cache/lookup_history.hpp"
#include "cache/retry_table.hpp"
#include "cache/tiers.hpp"
#include "scalekit/cache/store.hpp"
#include "scalekit/core/fork_guard.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::cache {

namespace detail {

/// Why a stale value was served.
enum class stale_cause { refreshing, failed, slow, throttled, asked };

}  // namespace detail

/// The body of a store: tiers, loads under way, and its life.
struct store::state : std::enable_shared_from_this<state> {
  explicit state(store_params params)
      : execution(params.execution), table(params), history(table.now_ns()) {}

  /// What every call begins with.
  void enter(std::string_view call, std::string_view key, const call_options& options) const;
  void enter_blocking(std::string_view call, std::string_view key, const call_options& options,
                      bool always_blocks) const;

  /// Finds what is kept; a miss is counted.
  detail::raw_lookup read(const detail::hashed_key& key, detail::value_port& port,
                          const call_options& options);
  /// What is left to do once it was looked for below memory.
  detail::raw_lookup conclude_read(const detail::hashed_key& key, detail::value_port& port,
                                   bool allow_stale, std::optional<detail::raw_lookup> found);

  /// What a call for several keys begins with.
  void enter_many(std::string_view call, const std::vector<std::string>& keys,
                  const call_options& options) const;

  /// Looks in memory for each; returns the rest.
  std::vector<detail::tiers::wanted> read_in_memory(detail::raw_batch& batch);
  void count_misses(const detail::raw_batch& batch);

  /// As store::get_or_load(). `found`: what a look into memory has found fresh.
  detail::raw_lookup read_or_load(const detail::load_request& r,
                                  std::optional<detail::raw_lookup> found);

  /// Whether `found` answers a lookup, which is counted then. Starts a refresh where one is due.
  bool answers(const detail::load_request& r, const detail::raw_lookup& found);

  /// A seat in the load of a key: what was found instead on a last look, or whose load it is.
  struct boarding {
    std::optional<detail::raw_lookup> found;
    detail::flight_table::seat seat;
    /// Whether something was found that is stale.
    bool has_stale = false;
  };
  boarding board(const detail::load_request& r);

  /// Joins the load of a key that is under way, if there is one.
  std::shared_ptr<detail::flight> join(const detail::hashed_key& key, std::string_view type);

  /// Throws errc::not_allowed when the calling thread is loading this very key.
  void refuse_own_key(std::string_view key) const;

  /// One who has just begun a load looks once more: another load may have ended since he looked,
  /// and what it gave was kept before it ended. If so, ends this one with it.
  std::optional<detail::raw_lookup> look_again(const std::shared_ptr<detail::flight>& load,
                                               const detail::load_request& r,
                                               const detail::tiers::place& at);

  /// Asks the shared tier, and ends the load with what it has; else the load goes on with a claim.
  std::optional<detail::raw_lookup> claim(const std::shared_ptr<detail::flight>& load,
                                          const detail::load_request& r);

  /// Ends a load with what was found instead, unless it is no value for `port`.
  std::optional<detail::raw_lookup> end_with(const std::shared_ptr<detail::flight>& load,
                                             const detail::hashed_key& key,
                                             const detail::raw_lookup& found, std::string bytes,
                                             detail::value_port& port);

  void finish(const std::shared_ptr<detail::flight>& load, const detail::hashed_key& key,
              const detail::load_outcome& outcome);

  /// Runs the loader of a load that the caller leads, keeps what it gave, and ends the load.
  detail::load_outcome lead(const std::shared_ptr<detail::flight>& load,
                            const detail::hashed_key& key, const policy& how,
                            const detail::raw_loader& loader, const deadline& until);
  void keep(const std::shared_ptr<detail::flight>& load, const detail::hashed_key& key,
            const policy& how, const detail::load_outcome& outcome, const load_context& told,
            const deadline& until);
  /// How what was loaded is to be kept; nothing: not at all.
  std::optional<policy> to_keep(const std::shared_ptr<detail::flight>& load,
                                const detail::hashed_key& key, const policy& how,
                                const detail::load_outcome& outcome, const load_context& told);

  class batch_load;

  /// The asynchronous read_or_load(), from where memory has not answered.
  struct async_load;
  void start_load(std::shared_ptr<const detail::owned_load> what,
                  std::shared_ptr<detail::value_port> port,
                  completion_handler<detail::raw_lookup> handler);

  /// Has it led on the work executor.
  void lead_aside(const std::shared_ptr<detail::flight>& load,
                  std::shared_ptr<const detail::owned_load> what);

  /// Begins a load in the background, unless one is under way.
  void refresh(const detail::load_request& r);
  void run_refresh(const std::shared_ptr<detail::flight>& load, const detail::owned_load& what);

  /// Has it ended in time. Precondition: there is a limit.
  void set_alarm(const std::shared_ptr<detail::flight>& load, const detail::hashed_key& key,
                 const policy& how);
  /// Ends a load that has taken too long.
  void expire(const std::shared_ptr<detail::flight>& load, const detail::hashed_key& key,
              const policy& how);
  void note_failure(const detail::hashed_key& key, const policy& how,
                    const std::shared_ptr<detail::flight>& load, const std::exception_ptr& why);

  /// Waits for a load on this thread.
  detail::raw_lookup wait(const std::shared_ptr<detail::flight>& load,
                          const detail::load_request& r);

  /// What a load's end means for one who waited for it. Throws what the loader threw.
  detail::raw_lookup conclude(const detail::load_outcome& outcome, const detail::load_request& r);
  detail::raw_lookup receive(const detail::load_outcome& outcome, detail::value_port& port);

  /// What is kept, for one whose load gave no value in time. Looks once more, so that what was set
  /// or erased meanwhile counts.
  std::optional<detail::raw_lookup> fall_back(const detail::hashed_key& key, const policy& how,
                                              detail::value_port& port, bool may_block);
  void count_fall_back(const policy& how, const detail::raw_lookup& found,
                       detail::stale_cause cause);

  void count_miss(std::string_view type);
  void take_note(std::int64_t now_ns) noexcept;
  void count_stale(std::string_view type, detail::stale_cause cause);
  void add_counts_to(statistics& sum);
  void add_to(statistics& sum);
  void close() noexcept;

  scalekit::execution execution;
  fork_guard born;
  std::atomic<bool> closed{false};
  detail::tiers table;
  detail::flight_table flights;
  detail::load_alarms alarms;
  detail::retry_table retries;
  detail::lookup_history history;
  detail::load_costs costs;
  detail::lane_counter misses, sets;
  counter loads, absent, coalesced, abandoned, erases;
  counter refreshes, refreshes_failed, load_timeouts, answered_misses;
  std::array<counter, 5> stale;
};

}  // namespace scalekit::cache

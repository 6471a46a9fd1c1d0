#pragma once

#include "scalekit/cache/store.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/detail/sleep.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/export.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace scalekit::cache {

/// How far a warm_up() has come.
struct warm_up_progress {
  /// Keys that were dealt with: all of the others together.
  std::uint64_t keys = 0;
  /// Of these: were there already; were loaded; have no value; are of batches whose load failed.
  std::uint64_t present = 0, loaded = 0, absent = 0, failed = 0;
  /// Why the first of those failed. Null: none did.
  std::exception_ptr error = {};
  /// It was asked to stop before the end of the keys.
  bool stopped = false;
};

struct warm_up_params {
  /// Keys that one call of the loader gets, at most. Default 100. Range 1 to 10'000.
  std::size_t batch = 100;

  /// The most keys a second, present ones included, so that what is loaded from has time for
  /// others. Default 1000. Range 0.01 to 1e9.
  double per_second = 1000;

  /// The longest that one batch waits, see call_options::timeout. Default 30 s.
  std::chrono::nanoseconds timeout = std::chrono::seconds(30);

  /// Ends it between two batches.
  std::stop_token stop = {};

  /// Called after each batch, on the calling thread.
  std::function<void(const warm_up_progress&)> on_progress = {};
};

/// Throws std::invalid_argument, naming the field.
SCALEKIT_EXPORT void validate(const warm_up_params& params);

namespace detail {

/// Whether the next batch would fail of it as well.
inline bool ends_warm_up(const std::exception_ptr& e) {
  const auto code = to_error(e).code();
  return code == errc::closed || code == errc::invalid_argument || code == errc::not_allowed ||
         code == errc::forked;
}

}  // namespace detail

/// Fills the cache ahead of its callers: after a start, a clear, or a switch to another server.
/// Looks up `keys`, an input range of what a std::string is made of, batch by batch, and loads what
/// is missing with store::get_or_load_many(), at a steady pace; runs on the calling thread, until
/// the end of the range. A load that fails does not end it.
///
///     auto done = cache::warm_up<product>(store, best_sellers(), how, find_products,
///                                         {.per_second = 500});
///
/// Throws closed, invalid_argument, not_allowed and forked, of the store or of the loader; what the
/// range throws; std::invalid_argument for params out of range.
template <class V, class Keys, class Loader>
  requires batch_loader_of<Loader, V>
warm_up_progress warm_up(store cache, Keys&& keys, const policy& how, Loader&& loader,
                         const warm_up_params& params = {}) {
  validate(params);
  warm_up_progress progress;
  auto due = std::chrono::steady_clock::now();
  std::vector<std::string> batch;
  const auto load = [&] {
    progress.stopped |= !scalekit::detail::sleep_until(due, params.stop);
    if (progress.stopped) return;
    const auto count = batch.size();
    // What a slow batch has taken is not made up for: who is slow has enough to do.
    due = std::chrono::steady_clock::now() +
          std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::duration<double>(static_cast<double>(count) / params.per_second));
    try {
      for (const auto& each : cache.get_or_load_many<V>(std::exchange(batch, {}), how, loader,
                                                        {.timeout = params.timeout})) {
        const bool is_new = each.tier == tier::loader;
        ++(!each.value ? progress.absent : is_new ? progress.loaded : progress.present);
      }
    } catch (...) {
      if (detail::ends_warm_up(std::current_exception())) throw;
      progress.failed += count;
      if (!progress.error) progress.error = std::current_exception();
    }
    progress.keys += count;
    if (params.on_progress) params.on_progress(progress);
  };
  for (auto&& key : keys) {
    progress.stopped |= params.stop.stop_requested();
    if (progress.stopped) return progress;
    batch.emplace_back(std::forward<decltype(key)>(key));
    if (batch.size() == params.batch) load();
  }
  if (!batch.empty()) load();
  return progress;
}

}  // namespace scalekit::cache

#pragma once

#include "scalekit/cache/detail/text_hash.hpp"
#include "scalekit/cache/store.hpp"
#include "scalekit/core/backoff.hpp"
#include "scalekit/core/deadline.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/execution.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/core/log.hpp"
#include "scalekit/core/random.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace scalekit::cache {

/// The newest change of a key on its way to the sink: a value, or, without one, that it is erased.
template <class V>
struct pending_write {
  std::string key;
  std::optional<V> value;
};

struct write_behind_params {
  /// The longest that a change waits for others before it is written. This, and what the sink
  /// takes, is what a crash loses. Default 1 s. Range 1 ms to 1 h.
  std::chrono::nanoseconds max_delay = std::chrono::seconds(1);

  /// Keys that wait at most; more are refused with errc::shed. Default 10'000. Range 1 to 10 M.
  std::size_t max_pending = 10'000;

  /// Keys that the sink gets at once, at most. So many do not wait for others. Default 100. Range 1
  /// to 100'000.
  std::size_t batch = 100;

  /// Pauses after a sink that threw. Default 100 ms, doubling to 30 s.
  backoff_params retry = {};

  /// How long close() waits for what is pending. Default 10 s. Range 0 to 1 h.
  std::chrono::nanoseconds close_timeout = std::chrono::seconds(10);

  /// Receives "cache.write_behind.failed" (warning, for the first of failures in a row) and
  /// "cache.write_behind.lost" (error), with counts and no keys.
  log_sink log = {};
};

struct write_behind_statistics {
  std::uint64_t pending = 0;
  /// Changes that the sink has got, of keys; those that a newer one replaced before.
  std::uint64_t written = 0;
  std::uint64_t coalesced = 0;
  /// Calls of the sink that threw; all changes of them were tried again.
  std::uint64_t failures = 0;
  /// Refused, because too many were waiting.
  std::uint64_t shed = 0;
  /// Pending when it was closed.
  std::uint64_t lost = 0;
};

/// Throws std::invalid_argument, naming the field; for the policy errc::invalid_argument.
SCALEKIT_EXPORT void validate(const write_behind_params& params, const policy& how);

/// Writes that return at once, and are made later, several at a time and each key once: for what
/// changes often and may be lost for the last second, as counters of views, or where somebody was
/// seen last. What may not be lost is written first (write_through.hpp), or enqueued.
///
///     cache::write_behind<int> views(store, how, write_views);
///     views.put("views:42", 7);
///
/// Who reads through it sees what was put at once. Who reads the store sees it when the sink has
/// written it. The sink gets the oldest changes first, those of one key in their order; what it
/// throws makes it get them again, so that it must not mind a change that it has made already. V's
/// copy must not throw anything but std::bad_alloc, which ends the process.
///
/// It has one thread of its own, which runs the sink, and holds a handle of the store.
///
/// Thread safety: every member may be called from any thread, but for close() and the destructor,
/// which one thread calls while no other uses it.
template <class V>
class write_behind {
 public:
  using sink = std::function<void(std::span<const pending_write<V>>)>;

  /// Throws std::invalid_argument for settings out of range, errc::invalid_argument for a policy.
  write_behind(store cache, const policy& how, sink write, write_behind_params params = {})
      : cache_(std::move(cache)),
        type_(how.type),
        how_(how),
        write_(std::move(write)),
        params_(std::move(params)) {
    validate(params_, how_);
    how_.type = type_;
    thread_ = std::thread([this] { run(); });
  }
  ~write_behind() { close(); }
  write_behind(const write_behind&) = delete;
  write_behind& operator=(const write_behind&) = delete;

  /// Errors: shed; closed.
  void put(std::string key, V value) { change(std::move(key), std::move(value)); }

  /// Errors: as put().
  void erase(std::string key) { change(std::move(key), std::nullopt); }

  /// What is pending, else what the store has: store::get().
  lookup<V> get(std::string_view key, const call_options& options = {}) {
    if (auto found = find_pending(key)) return *std::move(found);
    return cache_.get<V>(key, options);
  }

  /// What is pending, else store::get_or_load().
  template <loader_of<V> Loader>
  lookup<V> get_or_load(std::string_view key, Loader&& loader, const call_options& options = {}) {
    if (auto found = find_pending(key)) return *std::move(found);
    return cache_.get_or_load<V>(key, how_, std::forward<Loader>(loader), options);
  }

  /// Waits until everything that was put before is written; a sink that pauses after a failure is
  /// called at once. False: not within `timeout`. Errors: not_allowed, on an I/O thread.
  bool flush(std::chrono::nanoseconds timeout) {
    io_thread_mark::check_blocking_allowed("cache::write_behind::flush");
    std::unique_lock lock(mutex_);
    const auto until = last_;
    begin_flush();
    const bool done = settled_.wait_until(lock, deadline::after(timeout).when(),
                                          [&] { return oldest() > until; });
    --flushing_;
    return done;
  }

  /// Writes what is pending, for close_timeout at most, and ends the thread; a sink that is running
  /// is waited for, however long. Not to be called by the sink. Returns how many changes were lost.
  /// Later changes are refused with closed.
  std::size_t close() {
    std::unique_lock lock(mutex_);
    if (closed_) return lost_;
    closed_ = true;
    begin_flush();
    settled_.wait_for(lock, params_.close_timeout, [&] { return pending_.empty(); });
    given_up_ = true;
    wake_.notify_all();
    lock.unlock();
    thread_.join();
    lost_ = pending_.size();
    if (lost_ > 0) {
      params_.log(log_level::error, "cache.write_behind.lost",
                  "changes that were put behind the cache could not be written",
                  {{"count", std::to_string(lost_)}});
    }
    return lost_;
  }

  write_behind_statistics stats() const {
    const std::lock_guard lock(mutex_);
    auto now = counted_;
    now.pending = pending_.size();
    now.lost = lost_;
    return now;
  }

 private:
  using clock = std::chrono::steady_clock;

  struct entry {
    std::optional<V> value;
    clock::time_point since;
    /// Of its first change that is not written, its last, and that which the sink was given.
    std::uint64_t first = 0, last = 0, given = 0;
  };
  struct taken {
    std::vector<pending_write<V>> changes;
    std::vector<std::uint64_t> versions;
  };

  void begin_flush() {
    ++flushing_;
    ++flushes_;
    wake_.notify_all();
  }

  void change(std::string key, std::optional<V> value) {
    const std::lock_guard lock(mutex_);
    if (closed_) throw error(errc::closed, "this write_behind is closed");
    const auto known = pending_.find(key);
    if (known != pending_.end()) {
      auto& there = known->second;
      there.value = std::move(value);
      if (there.last > there.given) ++counted_.coalesced;
      there.last = ++last_;
      return;
    }
    if (pending_.size() >= params_.max_pending) {
      ++counted_.shed;
      throw error(errc::shed, std::to_string(pending_.size()) +
                                  " changes wait to be written; see write_behind_params");
    }
    const auto version = ++last_;
    const auto added =
        pending_.emplace(key, entry{std::move(value), clock::now(), version, version});
    try {
      queue_.push_back(std::move(key));
    } catch (...) {
      pending_.erase(added.first);
      throw;
    }
    wake_.notify_all();
  }

  std::optional<lookup<V>> find_pending(std::string_view key) const {
    const std::lock_guard lock(mutex_);
    const auto found = pending_.find(key);
    if (found == pending_.end()) return std::nullopt;
    const auto age =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - found->second.since);
    const auto state = found->second.value ? freshness::fresh : freshness::negative;
    return lookup<V>{found->second.value, state, tier::memory, age};
  }

  /// The number of the oldest change that is not written; beyond the last where there is none.
  std::uint64_t oldest() const {
    auto least = last_ + 1;
    for (const auto& [key, each] : pending_) least = std::min(least, each.first);
    return least;
  }

  void run() {
    random_generator random;
    std::uint64_t failed = 0;
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return given_up_ || !queue_.empty(); });
      if (given_up_) return;
      const auto due = pending_.find(queue_.front())->second.since + params_.max_delay;
      wake_.wait_until(lock, due, [this] {
        return given_up_ || flushing_ > 0 || queue_.size() >= params_.batch;
      });
      if (given_up_) return;
      const auto batch = take();
      const auto flushes = flushes_;
      lock.unlock();
      const bool is_written = write(batch.changes, failed);
      lock.lock();
      is_written ? forget(batch) : put_back(batch);
      settled_.notify_all();
      failed = is_written ? 0 : failed + 1;
      if (is_written) continue;
      // Who has just begun to wait for it does not wait for a pause that is none of his.
      wake_.wait_for(lock, backoff_delay(params_.retry, failed, random),
                     [&] { return given_up_ || flushes_ != flushes; });
    }
  }

  taken take() {
    taken batch;
    while (!queue_.empty() && batch.changes.size() < params_.batch) {
      auto& each = pending_.find(queue_.front())->second;
      each.given = each.last;
      batch.versions.push_back(each.last);
      batch.changes.push_back({std::move(queue_.front()), each.value});
      queue_.pop_front();
    }
    return batch;
  }

  /// By the sink, then into the store: until it is there, it is found among what is pending.
  bool write(const std::vector<pending_write<V>>& changes, std::uint64_t failed_before) {
    try {
      write_(changes);
    } catch (const std::exception& e) {
      note_failure(failed_before, e.what());
      return false;
    } catch (...) {
      note_failure(failed_before, "not a std::exception");
      return false;
    }
    for (const auto& each : changes) keep(each);
    return true;
  }

  /// It is written: the cache has this then, or nothing.
  void keep(const pending_write<V>& change) noexcept {
    try {
      if (change.value) return cache_.set(change.key, *change.value, how_);
    } catch (...) {
      // The value may have been refused before the older one was gone.
    }
    try {
      cache_.erase(change.key);
    } catch (...) {
      // Gone from this process, and owed to a server.
    }
  }

  void note_failure(std::uint64_t failed_before, std::string_view why) {
    const std::lock_guard lock(mutex_);
    ++counted_.failures;
    if (failed_before > 0) return;
    params_.log(log_level::warning, "cache.write_behind.failed",
                "what writes the changes behind the cache has failed; they are tried again",
                {{"exception.message", std::string(why)}});
  }

  void forget(const taken& batch) {
    counted_.written += batch.changes.size();
    for (std::size_t i = 0; i < batch.changes.size(); ++i) {
      const auto known = pending_.find(batch.changes[i].key);
      if (known->second.last == batch.versions[i]) {
        pending_.erase(known);
        continue;
      }
      // Changed meanwhile.
      known->second.first = batch.versions[i] + 1;
      known->second.since = clock::now();
      queue_.push_back(known->first);
    }
  }

  void put_back(const taken& batch) {
    for (auto each = batch.changes.rbegin(); each != batch.changes.rend(); ++each) {
      queue_.push_front(each->key);
      pending_.find(each->key)->second.given = 0;
    }
  }

  store cache_;
  const std::string type_;
  policy how_;
  const sink write_;
  const write_behind_params params_;
  mutable std::mutex mutex_;
  std::condition_variable wake_, settled_;
  std::unordered_map<std::string, entry, detail::text_hash, std::equal_to<>> pending_;
  /// Keys that are pending and not with the sink, the oldest first.
  std::deque<std::string> queue_;
  std::uint64_t last_ = 0;
  /// Who waits for a flush, and how often one was begun.
  std::size_t flushing_ = 0;
  std::uint64_t flushes_ = 0;
  bool closed_ = false, given_up_ = false;
  std::size_t lost_ = 0;
  write_behind_statistics counted_;
  std::thread thread_;
};

}  // namespace scalekit::cache

#pragma once

#include "cache/fence.hpp"
#include "scalekit/cache/detail/text_hash.hpp"
#include "scalekit/core/deadline.hpp"

#include <array>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace scalekit::cache::detail {

/// How a load ended, for all who waited for it.
struct load_outcome {
  /// Null where the loader said "absent", or threw.
  std::shared_ptr<const std::string> bytes;
  std::exception_ptr failure;
};

/// One load under way, and those who wait for it.
///
/// Who takes part is counted. When the last one leaves before the end, the load is asked to stop.
///
/// Thread safety: all members may be called from any thread.
class flight {
 public:
  using callback = std::function<void(const load_outcome&)>;

  /// `limit`: when it has taken too long; none where nothing says so.
  flight(fill_token begun, std::optional<deadline> limit) : begun_(begun), limit_(limit) {}

  const fill_token& begun() const noexcept { return begun_; }
  /// The leader's alone.
  shared_claim claim;
  const std::optional<deadline>& limit() const noexcept { return limit_; }
  bool is_overdue() const noexcept { return limit_ && limit_->expired(); }
  std::stop_token stop_token() const noexcept { return stop_.get_token(); }
  void request_stop() noexcept { stop_.request_stop(); }

  /// Takes part. False: nobody was left, and the load is stopping.
  bool join();

  /// Takes part no more, before the end.
  void leave() noexcept;

  /// Waits for the end. Null: not by `until`.
  const load_outcome* wait(const deadline& until);

  /// Calls back at the end, on the thread that ends the flight, or at once if that was before.
  void on_end(callback then);

  /// Ends it; the first outcome counts. False: it was over. Callbacks run before it returns.
  bool end(load_outcome outcome);
  bool is_over() const;

 private:
  const fill_token begun_;
  const std::optional<deadline> limit_;
  std::stop_source stop_;
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  std::size_t members_ = 1;
  bool over_ = false;
  load_outcome outcome_;
  std::vector<callback> callbacks_;
};

/// The loads under way, by key: one a key, unless a key was set or erased after its load began, or
/// that takes too long. Those who come later must not see what it loads, or wait for it; they begin
/// another.
///
/// Thread safety: all members may be called from any thread.
class flight_table {
 public:
  struct seat {
    std::shared_ptr<flight> load;
    /// Whether the caller has just begun it, and must run it.
    bool is_leader = false;
  };

  /// Joins the load of `key` that began under `token`. Null: there is none.
  std::shared_ptr<flight> join(std::string_view key, std::uint64_t hash, const fill_token& token);

  seat join_or_begin(std::string_view key, std::uint64_t hash, const fill_token& token,
                     const std::optional<deadline>& limit);

  /// Begins a load, which the caller must run. Null: one is under way; not joined.
  std::shared_ptr<flight> begin(std::string_view key, std::uint64_t hash, const fill_token& token,
                                const std::optional<deadline>& limit);
  bool is_loading(std::string_view key, std::uint64_t hash, const fill_token& token);

  /// Takes a load out, if it is still in, so that nobody joins it any more.
  void remove(std::string_view key, std::uint64_t hash,
              const std::shared_ptr<flight>& load) noexcept;

  /// Takes all out.
  std::vector<std::shared_ptr<flight>> drain();

 private:
  struct load_map {
    std::mutex mutex;
    std::unordered_map<std::string, std::shared_ptr<flight>, text_hash, std::equal_to<>> loads;
  };

  /// With the part's lock held: whether those who come now may wait for it.
  static bool is_open(const std::shared_ptr<flight>& load, const fill_token& token) noexcept {
    return load && load->begun() == token && !load->is_overdue();
  }

  load_map& part_of(std::uint64_t hash) noexcept { return parts_[hash >> 60]; }

  std::array<load_map, 16> parts_;
};

/// Knows what the calling thread is loading: a loader that waits for its own key would wait for
/// itself. Lives on the stack of the thread that runs the loader.
class loading_mark {
 public:
  loading_mark(const void* store, std::string_view key) noexcept;
  ~loading_mark();
  loading_mark(const loading_mark&) = delete;
  loading_mark& operator=(const loading_mark&) = delete;

  static bool is_loading(const void* store, std::string_view key) noexcept;

 private:
  const void* store_;
  std::string_view key_;
  const loading_mark* outer_;
};

}  // namespace scalekit::cache::detail

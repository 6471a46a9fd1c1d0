#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace scalekit::cache::detail {

/// What a fill must find unchanged to be stored.
struct fill_token {
  std::uint64_t epoch = 0;
  std::uint64_t generation = 0;

  friend bool operator==(const fill_token&, const fill_token&) = default;
};

/// What a load knows of the shared tier: what a fill must find there; empty where that is not
/// known, and nothing can be stored.
struct shared_claim {
  /// In monotonic time, and in which state of memory's fence.
  struct moment {
    std::int64_t ns = 0;
    fill_token memory = {};
  };

  std::string expected;
  /// When the load began.
  moment begun = {};
};

/// One stripe of keys. Shared by processes when it lives in a directory's table.
struct fence_stripe {
  /// Moved by every set and erase of a key of the stripe.
  std::atomic<std::uint64_t> generation;
  /// Files of a smaller sequence are dead: raised when a file could not be removed.
  std::atomic<std::uint64_t> floor;
};
static_assert(sizeof(fence_stripe) == 16 && std::atomic<std::uint64_t>::is_always_lock_free);

/// The generation counters behind fill fencing, hashed over a fixed number of stripes: keys that
/// share one only cost each other a fill now and then.
///
/// Thread safety: all members may be called from any thread.
class fence {
 public:
  static constexpr std::uint32_t stripes = 4096;

  /// A fence of this process alone.
  fence()
      : own_(std::make_unique<fence_stripe[]>(stripes)), table_(own_.get()), epoch_(&own_epoch_) {}

  /// A fence in memory that outlives it.
  fence(fence_stripe* table, std::atomic<std::uint64_t>* epoch) : table_(table), epoch_(epoch) {}

  fill_token current(std::uint32_t stripe) const noexcept {
    return {epoch_->load(), table_[stripe].generation.load()};
  }

  /// From here on, fills begun before are refused. Returns the token of the new generation.
  fill_token advance(std::uint32_t stripe) noexcept {
    const auto generation = table_[stripe].generation.fetch_add(1) + 1;
    return {epoch_->load(), generation};
  }

  /// All fills begun before are refused, all files written before are dead.
  void advance_epoch() noexcept { epoch_->fetch_add(1); }

  /// Files of the stripe written before `token` are dead.
  void raise_floor(std::uint32_t stripe, const fill_token& token) noexcept {
    auto& floor = table_[stripe].floor;
    auto old = floor.load();
    while (old < token.generation && !floor.compare_exchange_weak(old, token.generation)) {
    }
  }

  /// Whether a file written under `token` may still be served.
  bool is_alive(std::uint32_t stripe, const fill_token& token) const noexcept {
    return token.epoch == epoch_->load() && token.generation >= table_[stripe].floor.load();
  }

 private:
  std::atomic<std::uint64_t> own_epoch_{1};
  std::unique_ptr<fence_stripe[]> own_;
  fence_stripe* table_;
  std::atomic<std::uint64_t>* epoch_;
};

}  // namespace scalekit::cache::detail

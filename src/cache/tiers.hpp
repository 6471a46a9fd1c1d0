#pragma once

#include "cache/coarse_time.hpp"
#include "cache/deadline_mutex.hpp"
#include "cache/fence.hpp"
#include "cache/file_tier.hpp"
#include "cache/memory_tier.hpp"
#include "cache/type_table.hpp"
#include "scalekit/cache/detail/typed_call.hpp"
#include "scalekit/cache/policy.hpp"
#include "scalekit/cache/statistics.hpp"
#include "scalekit/cache/store_params.hpp"
#include "scalekit/core/counter.hpp"
#include "scalekit/core/deadline.hpp"

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace scalekit::cache::detail {

/// A key and its hash.
struct hashed_key {
  std::string_view text;
  std::uint64_t hash;
};

/// The tiers as one table: looks up from the top, fills upwards, changes all. Blocks for files.
///
/// Order of changes: a writer changes the file, advances the key's fence, then changes memory. A
/// fill, and a file's value on its way up into memory, is kept only if the fence is where it was
/// when the filling began; memory checks that under the lock under which it changes. So nothing
/// older can come after what is newer.
///
/// Thread safety: all members may be called from any thread.
class tiers {
 public:
  /// Throws std::invalid_argument and scalekit::error; see store::open().
  explicit tiers(const store_params& params);

  bool has_memory() const noexcept { return memory_ != nullptr; }
  bool has_files() const noexcept { return file_ != nullptr; }
  hashed_key hashed(std::string_view key) const noexcept;

  /// Where a key lives beside memory: its fence, and its file if there are files.
  struct place {
    explicit place(std::uint32_t s) : stripe(s) {}
    explicit place(std::string_view key) : file(std::in_place, key), stripe(file->stripe) {}

    std::optional<file_name> file;
    std::uint32_t stripe;
  };
  place place_of(const hashed_key& key) const;
  fill_token token_of(const place& at) const noexcept;

  /// Lookups of what is fresh, or known to be absent; a hit is counted, a miss is not.
  std::optional<raw_lookup> find_in_memory(const hashed_key& key, value_port& port);
  std::optional<raw_lookup> find_in_file(const hashed_key& key, const place& at, value_port& port);

  /// As above, and of what is stale, which is not counted.
  std::optional<raw_lookup> find_kept_in_memory(const hashed_key& key, value_port& port);
  std::optional<raw_lookup> find_kept_in_file(const hashed_key& key, const place& at,
                                              value_port& port);

  /// What is fresh, or known to be absent, for nobody who would be counted.
  std::optional<raw_lookup> peek_into_memory(const hashed_key& key, value_port& port);
  std::optional<raw_lookup> peek_into_file(const hashed_key& key, value_port& port);

  /// Keeps a value in place of what is there. Throws too_large and acquire_timeout, and then
  /// nothing is there.
  void put(const hashed_key& key, std::string_view value, const policy& how, const deadline& until);

  /// Keeps what was loaded since `token` was taken: a value, or that there is none. What was there
  /// before does not outlive it, where the policy may have kept that. False: the key was changed
  /// meanwhile.
  bool fill(const hashed_key& key, const std::string* value, const policy& how,
            const fill_token& token, const deadline& until);

  void erase(const hashed_key& key, const deadline& until);

  /// Forgets the key, and in the files also those that share its stripe, without waiting for
  /// anything. Fills and sets that are under way may lose to it.
  void forget(const hashed_key& key);
  void clear() noexcept;

  /// Monotonic time of the store's clock.
  std::int64_t now_ns() const noexcept { return time_.now_ns(); }
  type_table& types() noexcept { return types_; }
  void add_to(statistics& sum);

 private:
  struct lifetime {
    std::chrono::microseconds ttl;
    /// With the time that it is stale.
    std::chrono::microseconds kept;
  };
  struct kept_value {
    std::string_view bytes;
    const policy* how;
    lifetime life;
    bool negative;
  };

  template <bool or_stale>
  [[gnu::always_inline]] inline std::optional<raw_lookup> look_into_memory(const hashed_key& key,
                                                                           value_port& port);
  enum class file_look { fresh, kept, uncounted };
  std::optional<raw_lookup> look_into_file(const hashed_key& key, const place& at, value_port& port,
                                           file_look how);
  std::chrono::microseconds draw(const hashed_key& key, std::chrono::milliseconds ttl,
                                 const policy& how) const;
  memory_item item_of(const hashed_key& key, const kept_value& kept);
  file_entry entry_of(const hashed_key& key, const kept_value& kept) const;
  void put_in_both(const hashed_key& key, const kept_value& kept, const place& at,
                   const deadline& until);
  void promote(const hashed_key& key, const file_found& found, std::uint8_t type, const place& at,
               const fill_token& token);
  void forget_undecodable(const hashed_key& key);
  deadline_mutex& writers_of(const place& at) noexcept;

  const clock& clock_;
  const coarse_time time_;
  std::size_t max_value_bytes_;
  std::uint64_t hash_seed_;
  std::unique_ptr<memory_tier> memory_;
  std::unique_ptr<file_tier> file_;
  fence own_gate_;
  fence& gate_;
  std::uint64_t max_memory_bytes_;
  std::uint64_t max_file_bytes_;
  // Writers of one file must take turns within the process; its lock is the process's.
  std::array<deadline_mutex, 256> writers_;
  type_table types_;
  counter fenced_, undecodable_, undecodable_in_memory_;
};

}  // namespace scalekit::cache::detail

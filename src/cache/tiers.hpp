#pragma once

#include "cache/change_ear.hpp"
#include "cache/coarse_time.hpp"
#include "cache/fence.hpp"
#include "cache/file_tier.hpp"
#include "cache/memory_tier.hpp"
#include "cache/shared_tier.hpp"
#include "cache/type_table.hpp"
#include "scalekit/cache/detail/typed_call.hpp"
#include "scalekit/cache/policy.hpp"
#include "scalekit/cache/statistics.hpp"
#include "scalekit/cache/store_params.hpp"
#include "scalekit/core/counter.hpp"
#include "scalekit/core/deadline.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scalekit::cache::detail {

/// A key and its hash.
struct hashed_key {
  std::string_view text;
  std::uint64_t hash;
};

/// The tiers as one table: looks up from the top, fills upwards, changes all. Below memory are
/// files, or a shared tier, or nothing. Blocks for files, and for the shared tier but in what
/// begins with start_.
///
/// Order of changes: a writer changes the file, advances the key's fence, then changes memory. A
/// fill, and a file's value on its way up into memory, is kept only if the fence is where it was
/// when the filling began; memory checks that under the lock under which it changes. So nothing
/// older can come after what is newer. With a shared tier it is the same; see shared_tier.cpp.
///
/// Memory over a shared tier has a fence of its own, which is also moved by what is heard of
/// changes on the server. That must not move the fence of loads: each would hear of its own claim,
/// and lose to it. Whether another store was quicker, the server says when the load is filled in;
/// what is heard since then keeps it out of memory.
///
/// Thread safety: all members may be called from any thread.
class tiers {
 public:
  /// Throws std::invalid_argument and scalekit::error; see store::open().
  explicit tiers(const store_params& params);
  using ear_maker = std::function<std::unique_ptr<change_ear>(change_ear::listener)>;
  /// With these in place of what the params say of a shared tier, and of who hears of changes
  /// there. Null: none.
  tiers(const store_params& params, std::unique_ptr<shared_tier> shared,
        const ear_maker& make_ear = {});

  bool has_memory() const noexcept { return memory_ != nullptr; }
  bool has_files() const noexcept { return file_ != nullptr; }
  bool has_shared() const noexcept { return shared_ != nullptr; }
  /// Whether calls may have to wait for something beyond this process' memory.
  bool may_block() const noexcept { return has_files() || has_shared(); }
  /// Whether the forms that begin with start_ may be used.
  bool is_asynchronous() const noexcept { return shared_ && shared_->is_asynchronous(); }
  /// The longest that one question to the shared tier takes. Precondition: there is one.
  std::chrono::nanoseconds shared_timeout() const noexcept { return shared_->line().timeout(); }
  /// Precondition: has_shared().
  void force_shared(shared_mode mode) noexcept { shared_->way().force(mode); }
  /// The way to the shared server ends. Waits for who is on it; see shared_line::close().
  void close() noexcept {
    if (ear_) ear_->close();
    if (shared_) shared_->close();
  }
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
  std::optional<raw_lookup> find_below(const hashed_key& key, const place& at, value_port& port,
                                       const deadline& until);

  /// As above, and of what is stale, which is not counted.
  std::optional<raw_lookup> find_kept_in_memory(const hashed_key& key, value_port& port);
  std::optional<raw_lookup> find_kept_below(const hashed_key& key, const place& at,
                                            value_port& port, const deadline& until);

  /// What is fresh, or known to be absent, for nobody who would be counted.
  std::optional<raw_lookup> peek_into_memory(const hashed_key& key, value_port& port);
  std::optional<raw_lookup> peek_below(const hashed_key& key, value_port& port, shared_claim& claim,
                                       const deadline& until);

  /// In the shared tier; `claim` becomes that of the load that follows. Without one: nothing.
  std::optional<raw_lookup> find_or_claim(const hashed_key& key, value_port& port,
                                          shared_claim& claim, const deadline& until);

  /// A key that a batch has not found yet, and where its value goes.
  struct wanted {
    hashed_key key;
    value_port* port;
    raw_lookup* found;
  };
  /// Each that is found becomes it; the rest stays as it is.
  void find_many_below(std::span<const wanted> keys, const deadline& until);

  /// Keeps a value in place of what is there. Throws too_large and acquire_timeout, and then
  /// nothing is there.
  void put(const hashed_key& key, std::string_view value, const policy& how, const deadline& until);

  /// The same for several: those that are not too large are kept, whatever the others are.
  using keyed_values = std::vector<std::pair<std::string, std::string>>;
  void put_many(keyed_values values, const policy& how, const deadline& until);

  /// Keeps what was loaded since `token` was taken: a value, or that there is none. What was there
  /// before does not outlive it, where the policy may have kept that. False: the key was changed
  /// meanwhile.
  bool fill(const hashed_key& key, const std::string* value, const policy& how,
            const fill_token& token, const shared_claim& claim, const deadline& until);

  /// Throws what kept a shared tier from forgetting it.
  void erase(const hashed_key& key, const deadline& until);

  /// Forgets the key, and in the files also those that share its stripe, without waiting for
  /// anything. Fills and sets that are under way may lose to it. In a shared tier it is forgotten
  /// before it is read there again.
  void forget(const hashed_key& key);
  void clear(const deadline& until);

  /// A value that its codec refused.
  void forget_undecodable(const hashed_key& key);

  // The same, asynchronously; for a shared tier that is. They call back once, never from inside,
  // and must be outlived by the tiers: the callback sees to that. A lookup that is stopped says so;
  // a change says what it failed with.

  using then_found = std::function<void(std::optional<raw_lookup>, bool is_cancelled)>;
  using then_done = std::function<void(std::optional<error>)>;

  void start_find(std::string key, std::shared_ptr<value_port> port, bool or_stale,
                  const deadline& until, std::stop_token stop, then_found then);
  void start_find_many(std::vector<wanted> keys, std::shared_ptr<const void> owner,
                       const deadline& until, std::stop_token stop,
                       std::function<void(bool is_cancelled)> then);
  void start_find_or_claim(std::string key, std::shared_ptr<value_port> port, shared_claim& claim,
                           const deadline& until,
                           std::function<void(std::optional<raw_lookup>)> then);
  /// `value`: null where there is none. Also calls back from inside.
  void start_fill(std::string key, std::shared_ptr<const std::string> value, const policy& how,
                  const fill_token& token, const shared_claim& claim, const deadline& until,
                  std::function<void()> then);
  void start_put_many(keyed_values values, const policy& how, const deadline& until,
                      std::stop_token stop, then_done then);
  void start_erase(std::string key, const deadline& until, std::stop_token stop, then_done then);
  void start_clear(const deadline& until, std::stop_token stop, then_done then);

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
  /// Which hits count as such.
  enum class looking { fresh, kept, uncounted };
  /// When, and in which state of memory's fence, a tier below memory is asked.
  struct asked {
    std::uint32_t stripe;
    fill_token token;
    std::int64_t now_ns;
  };
  /// A value on its way to the shared tier.
  struct shared_write {
    hashed_key key;
    memory_item item;
    std::uint32_t stripe;
    fill_token begun;
  };
  struct batch_write;
  struct late_fill;

  asked ask(const place& at) const noexcept {
    return {at.stripe, memory_gate_.current(at.stripe), time_.now_ns()};
  }
  std::optional<raw_lookup> look_below(const hashed_key& key, const place& at, value_port& port,
                                       looking how, const deadline& until);
  std::optional<raw_lookup> look_into_file(const hashed_key& key, const place& at, value_port& port,
                                           looking how);
  std::optional<raw_lookup> claim_below(const hashed_key& key, value_port& port,
                                        shared_claim& claim, looking how, const deadline& until);
  std::optional<raw_lookup> deliver(const hashed_key& key, std::optional<file_found>&& found,
                                    tier from, const asked& when, value_port& port, looking how);
  std::vector<asked> ask_all(std::span<const wanted> keys) const;
  void deliver_all(std::span<const wanted> keys, std::span<const asked> when,
                   shared_tier::looks& looks);
  error too_large(std::size_t size) const;
  fill_token advance(std::uint32_t stripe) noexcept;
  void hear_change(std::string_view key);
  void hear_anything() noexcept;
  void forget_in_memory(const hashed_key& key, const place& at);
  void forget_all_in_memory() noexcept;
  kept_value kept_of(const hashed_key& key, std::string_view value, const policy& how) const;
  /// What is kept of a load: nothing where that is nothing.
  std::optional<kept_value> kept_of_load(const hashed_key& key, const std::string* value,
                                         const policy& how) const;
  bool end_fill(memory_item& item, const place& at, const fill_token& token,
                const fill_token& memory_token, const shared_claim& claim,
                std::optional<shared_fill> done);
  shared_write begin_put(const hashed_key& key, const kept_value& kept);
  void end_put(const shared_write& write, const fill_token& end, bool is_kept);
  void end_batch(const batch_write& batch, bool is_kept);
  std::shared_ptr<batch_write> begin_batch(keyed_values values, const policy& how);
  void add_shared_to(statistics& sum) const;

  std::chrono::microseconds draw(const hashed_key& key, std::chrono::milliseconds ttl,
                                 const policy& how) const;
  memory_item item_of(const hashed_key& key, const kept_value& kept);
  file_entry entry_of(const hashed_key& key, const kept_value& kept) const;
  void put_in_both(const hashed_key& key, const kept_value& kept, const place& at,
                   const deadline& until);
  void promote(const hashed_key& key, const file_found& found, std::uint8_t type,
               const asked& when);

  const clock& clock_;
  const coarse_time time_;
  std::size_t max_value_bytes_;
  std::uint64_t hash_seed_;
  std::unique_ptr<memory_tier> memory_;
  std::unique_ptr<file_tier> file_;
  std::unique_ptr<shared_tier> shared_;
  fence own_gate_;
  std::optional<fence> own_memory_gate_;
  fence& gate_;
  fence& memory_gate_;
  std::uint64_t max_memory_bytes_;
  std::uint64_t max_file_bytes_;
  type_table types_;
  counter fenced_, undecodable_, undecodable_in_memory_, changes_heard_, changes_missed_;
  /// Null: nothing is heard. The last member: it calls the others.
  std::unique_ptr<change_ear> ear_;
};

}  // namespace scalekit::cache::detail

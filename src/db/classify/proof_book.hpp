#pragma once

#include "db/classify/speed_gate.hpp"
#include "db/hashed_text.hpp"
#include "scalekit/core/clock.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace scalekit::db::detail {

/// Bounds of a proof_book. Times are positive.
struct proof_book_limits {
  /// Statements remembered; the least recently used go first.
  std::size_t max_statements = 4096;
  /// Longer texts never share a connection.
  std::size_t longest_text = std::size_t{16} << 10;
  /// A proof is trusted so long: a view may be replaced. From four fifths of it on, one caller is
  /// asked to prove anew, while the others go on sharing.
  std::chrono::nanoseconds proof_ttl = std::chrono::minutes(5);
  /// After a proof without a verdict (the connection broke, say), the next attempt waits so long.
  std::chrono::nanoseconds retry_after = std::chrono::seconds(1);
  /// A prover that has not reported for so long is taken for dead.
  std::chrono::nanoseconds prover_patience = std::chrono::seconds(30);
  /// See speed_gate.
  std::chrono::nanoseconds slow_bound = std::chrono::milliseconds(5);
};

/// How one call of a statement is to run.
struct lane_admission {
  /// In a lane, together with others; else on a connection of its own.
  bool share = false;
  /// This caller was chosen to start a proof (beside its call); nobody else is until it reports by
  /// proven(), refused() or abandoned(), or patience ends.
  bool prove = false;
};

/// What is known of the statements that might share a connection.
///
/// Each begins alone. Once it has shown to be fast (speed_gate) one caller is asked to prove it;
/// proven, it is shared until the proof ends or it becomes slow. A refused one stays alone, and may
/// be asked again after the same time.
///
/// Keys are what decides the plan: the SQL text, from which alone the server takes the types of the
/// parameters. Not the fingerprint, which leaves literals out. One book a database and role,
/// whatever the number of hosts.
///
/// Thread safety: every member may be called from any thread. admit() and ran() take one lock of
/// 16, for tens of nanoseconds.
class proof_book {
 public:
  explicit proof_book(proof_book_limits limits = {});

  lane_admission admit(const hashed_text& key, time_point now);

  /// How long the server took for one run. In a lane: from the result before to this one, so
  /// that others' time is not counted.
  void ran(const hashed_text& key, std::chrono::nanoseconds took);

  /// What the prover found. `started` is the `now` of the admit() that asked for it: the outcome
  /// of a proof that began before clear(), or that another has replaced, is dropped.
  void proven(std::string_view key, time_point started, time_point now);
  void refused(std::string_view key, std::string reason, time_point started, time_point now);
  /// It came to no verdict.
  void abandoned(std::string_view key, time_point started, time_point now);

  /// A shared run showed that it must not be: SQLSTATE 25006, say. As refused(), whatever is
  /// being proven.
  void disproved(std::string_view key, std::string reason, time_point now);

  /// Ends every proof, refusal and proving, as after a change of schema was noticed (0A000,
  /// 42P01, ...). What was learnt of speed stays.
  void clear();

  struct statistics {
    std::size_t statements = 0;
    std::size_t proven = 0;
    /// Proven, but out of the lanes because slow; not among `proven`.
    std::size_t slow = 0;
    std::size_t refused = 0;
    std::size_t unproven = 0;
    std::uint64_t proofs_started = 0;
  };
  statistics stats(time_point now) const;

  struct refusal {
    std::string key;
    std::string reason;
  };
  /// At most `most`; of each of the 16 parts the most recently used first.
  std::vector<refusal> refusals(std::size_t most, time_point now) const;

 private:
  enum class state : std::uint8_t { unproven, proven, refused };

  struct entry {
    std::string key;
    state what = state::unproven;
    speed_gate speed;
    /// When the proof or refusal ends; while unproven, before which nobody is asked.
    time_point until{};
    bool proving = false;
    time_point proving_since{};
    std::string reason;
  };
  using entries = std::list<entry>;

  // On cache lines of their own: neighbours would share them.
  struct alignas(64) shard {
    mutable std::mutex mutex;
    entries order;
    std::unordered_map<hashed_text, entries::iterator, known_hash> by_key;
    std::uint64_t proofs_started = 0;
  };

  shard& shard_of(const hashed_text& key) noexcept;
  entry* find(shard& s, const hashed_text& key);
  entry& find_or_add(shard& s, const hashed_text& key);
  void settle(std::string_view key, time_point started, state what, std::string reason,
              time_point until);
  bool wants_proof(const entry& e, time_point now) const;

  const proof_book_limits limits_;
  std::array<shard, 16> shards_;
};

}  // namespace scalekit::db::detail

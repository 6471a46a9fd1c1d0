#pragma once

// What a result cache knows of the changes of tables, and what follows for its reads.

#include "scalekit/core/clock.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/db/causal_token.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace scalekit::adapters::detail {

/// How new what a read sees must be, as far as a cache has a say in it.
struct read_need {
  /// Empty: nothing beyond what was announced and heard.
  db::causal_token token = {};
  /// Everything acknowledged more than so long ago, if set.
  std::optional<std::chrono::nanoseconds> lag = {};
  /// Whether the read may run on the primary, should that be the only place to fill from.
  bool may_use_primary = true;
};

/// What a read may do.
struct read_plan {
  enum class verdict {
    /// Look for the result of this `version`; fill it by a read that sees `floor`.
    cached,
    /// The database must be asked: nobody has been heard lately who tells of changes.
    deaf,
    /// The database must be asked: the read wants more than has been heard of.
    ahead,
  };

  verdict what = verdict::deaf;
  /// Differs after every change of one of the tables. Results of another version are never served.
  std::string version = {};
  /// What every read must see, past the cache as well: what is known of the floors.
  db::causal_token floor = {};
  /// Not all is known of them: a fill must run on the primary.
  bool on_primary = false;
};

/// The rules of the result cache, without I/O: events in, plans for reads and probes out.
///
/// Each table has a floor, the place in the primary's log that a fill must have seen, and a count
/// of its changes, which is part of the name of what is cached: a change makes everything of before
/// unfindable, whoever is still filling it.
///
/// - A write of this process raises the floor to its own token.
/// - A notice of somebody else's raises it to the primary's position read after the notice was
///   heard. Until a probe has brought that, fills run on the primary.
///
/// Notices come in the order of the commits. So a probe that reads the position of the primary,
/// then sends a notice of its own, and hears that echo, knows: of everything up to that position,
/// and of everything acknowledged before the probe was sent, the notices are there. Only such a
/// proof, for `max_staleness`, lets results be served; a listener that has silently lost its
/// connection, or listens to a server that is not the primary any more, brings none.
///
/// Thread safety: none.
class SCALEKIT_EXPORT change_board {
 public:
  struct params {
    /// False: nobody else writes, there are no notices, and none are needed.
    bool listens = true;
    std::chrono::nanoseconds max_staleness = std::chrono::seconds(2);
  };

  explicit change_board(params how) : params_(how) {}

  // What happens.

  /// A write of this process that was acknowledged. An empty token: its place is not known.
  void wrote(std::span<const std::string> tables, const db::causal_token& token);

  /// A change that somebody has made, or may have made.
  void noticed(std::string_view table);

  /// A listener has begun, or begun again: what happened before it was not heard.
  void began_to_listen(time_point now);

  /// The listener has lost its connection.
  void went_deaf() noexcept;

  /// A read was refused because what `floor` stands for was lost in a promotion.
  void lost_writes();

  // Probes: at most one is under way.

  struct probe {
    std::uint64_t number = 0;
    /// Whether it is to send itself a notice.
    bool with_echo = false;
  };
  /// What is to be sent now, if anything. `now` must be read before it is sent.
  std::optional<probe> next_probe(time_point now);
  /// `position` is that of the primary, read after the probe was sent.
  void answered(std::uint64_t number, const db::causal_token& position);
  void failed(std::uint64_t number, time_point now);
  void echoed(std::uint64_t number);

  // Reads.

  read_plan plan(std::span<const std::string> tables, const read_need& need, time_point now);

  /// False when one of the tables has changed since the plan was made: what was filled under it
  /// would never be found.
  bool is_current(std::span<const std::string> tables, const read_plan& plan) const;

  /// How long ago everything was known to have been heard; nothing where that was never proven
  /// since the listener began.
  std::optional<std::chrono::nanoseconds> silence(time_point now) const;

 private:
  struct table {
    std::uint64_t changes = 0;
    db::causal_token floor;
    /// The newest probe that was sent before its last notice: a later one brings the floor. Nothing
    /// where the floor is known.
    std::optional<std::uint64_t> waits_since;
  };
  struct sent_echo {
    std::uint64_t number;
    time_point sent_at;
    bool heard = false;
    db::causal_token position;
  };
  struct proof {
    std::uint64_t number;
    time_point as_of;
    db::causal_token position;
  };

  table& find_or_add(const std::string& name);
  template <class Change>
  void for_each_named(std::string_view name, Change change);
  void lose_floor(table& t) const;
  void take_proof(const sent_echo& echo);
  bool waits_for_floor() const;
  bool has_heard(const db::causal_token& token) const;
  read_plan::verdict judge(const read_need& need, bool on_primary, time_point now) const;
  std::string version_of(std::span<const std::string> tables) const;

  params params_;
  std::map<std::string, table, std::less<>> tables_;
  /// Counts what makes everything unfindable.
  std::uint64_t epoch_ = 0;
  /// Of this process.
  db::causal_token newest_write_;

  bool listens_now_ = false;
  std::optional<time_point> last_used_;
  std::optional<proof> proof_;

  std::uint64_t last_probe_ = 0;
  std::optional<std::uint64_t> under_way_;
  std::optional<time_point> not_before_;
  std::optional<time_point> last_echo_sent_;
  std::deque<sent_echo> echoes_;
};

}  // namespace scalekit::adapters::detail

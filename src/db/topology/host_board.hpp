#pragma once

#include "db/topology/host_evidence.hpp"
#include "db/topology/host_sample.hpp"
#include "db/topology/host_spec.hpp"
#include "db/topology/primary_log.hpp"
#include "db/topology/route.hpp"
#include "db/topology/timeline_board.hpp"
#include "scalekit/core/random.hpp"
#include "scalekit/db/topology_params.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace scalekit::db::detail {

/// Which host takes a call: decided from evidence that expires. No clock, no lock, no I/O.
///
/// Evidence comes from the monitor (sample), from the connections in use (parameter_status,
/// error_seen) and from promotions seen or read about (learn_history). It is used for
/// evidence_lease from when it was asked for, and an error outweighs everything asked for before
/// it. Nothing is concluded from silence but that the host is not used. After a lost connection a
/// standby serves no read that needs a position until it was asked again: it may have restarted,
/// and come up behind where it was. Nobody may have heard of that; so such a read's route says how
/// old its evidence is, and holds on connections that are older only.
///
/// The primary is the one whose timeline descends from that of every other one; between two of
/// which that is not known, or of one timeline, nobody is. A primary of an older timeline than the
/// last writer's is not used, however long that writer is silent: only remove() of the writer, by
/// hand, brings it back.
///
/// Answers may come in any order: older ones than the newest of their host are ignored. So are
/// events of a host that was removed.
///
/// Thread safety: none.
class host_board {
 public:
  /// Throws std::invalid_argument when evidence_lease is shorter than two monitor_intervals.
  /// Everything else in `params` must be valid.
  explicit host_board(topology_params params);

  host_id add(host_spec spec, time_point now);
  void remove(host_id host);

  std::vector<host_id> hosts() const;
  bool has(host_id host) const { return hosts_.contains(host); }
  /// Precondition: has(host).
  const host_spec& spec(host_id host) const { return hosts_.at(host).spec; }

  // --- events ---

  void sample(host_id host, const host_sample& seen, time_point now);

  /// `why` is shown to people: "connection refused".
  void error_seen(host_id host, host_error what, std::string why, time_point now);

  /// Takes writes away at once; gives them to nobody, but lets the host be asked at once.
  void parameter_status(host_id host, const host_parameters& seen, time_point now);

  /// A read that came for a position did not use a connection made at `when`, after its route's
  /// as_of. To be told before the board is asked for another route.
  void connected_anew(host_id host, time_point when);

  /// The answer to an `ask`: timeline and position of a standby as in host_sample. Does not
  /// prolong the lease.
  void replayed(host_id host, log_place place, time_point asked_at);

  /// The history file of a primary's timeline. Reading it needs rights that are often missing;
  /// without it the board knows the promotions that it saw.
  void learn_history(std::uint32_t timeline, std::vector<timeline_switch> ancestors);

  /// A call was given the host, and ended; `took` when it ran to its end. Each began once ends
  /// once.
  void call_began(host_id host);
  void call_ended(host_id host, std::optional<std::chrono::nanoseconds> took);

  // --- the monitor's timetable ---

  /// When the host is to be asked next; may lie in the past. Sooner after errors and without a
  /// primary, but never more often than 20 times a second.
  time_point probe_at(host_id host, time_point now) const;
  void probe_began(host_id host, time_point now);

  /// True when the timeline of the primary has a history that learn_history could tell.
  bool wants_history() const;

  // --- decisions ---

  write_route writer(time_point now);
  read_route reader(const read_request& request, time_point now, random_generator& random);

  /// Of the last writer; 0 before the first. Also grows in writer() and reader().
  std::uint64_t generation() const noexcept { return generation_; }

  /// "10.0.0.1:5432 primary; 10.0.0.2:5432 replica, lag 120 ms; 10.0.0.3:5432 unreachable for 4 s:
  /// connection refused".
  std::string describe(time_point now) const;

  /// One host's part of it: "replica, lag 120 ms". Precondition: has(host).
  std::string describe(host_id host, time_point now) const {
    return state_of(hosts_.at(host), now);
  }

  /// How far the standby is behind, as of its last answer; nothing where that is not known.
  std::optional<std::chrono::nanoseconds> lag(host_id host) const;

  const topology_params& params() const noexcept { return params_; }

 private:
  struct election {
    refusal why = refusal::no_primary;
    /// Also one that takes no writes now; in a split brain one of them.
    std::optional<host_id> primary = {};
    std::optional<host_id> rival = {};
  };

  struct candidate {
    host_id id;
    const host_evidence* host;
  };

  bool is_of_cluster(const host_evidence& host) const;
  bool is_starting(time_point now) const;
  bool is_replaced(const host_evidence& host) const;
  bool is_diverged(const host_evidence& host) const;
  static bool has_more_to_do(const host_evidence& a, const host_evidence& b);
  bool is_behind(const host_evidence& host) const;
  bool is_replica(host_id id, const host_evidence& host, const read_request& request,
                  time_point now) const;

  void settle_cluster(time_point now);
  election elect(time_point now) const;
  election elect_and_note(time_point now);

  read_route find_reader(const read_request& request, time_point now, random_generator& random);
  read_route read_any(const read_request& request, const election& primary, time_point now,
                      random_generator& random);
  read_route read_bounded(const read_request& request, const election& primary, time_point now,
                          random_generator& random);
  read_route read_after(const read_request& request, const election& primary, time_point now,
                        random_generator& random);
  host_id choose(time_point now, random_generator& random);
  read_route use(host_id host, bool on_primary) const;
  read_route use_as_told(host_id host) const;
  read_route use_primary(const election& primary, const read_request& request,
                         time_point now) const;
  read_route refuse(refusal why, const election& primary, const read_request& request,
                    time_point now) const;

  std::string state_of(const host_evidence& host, time_point now) const;
  std::string explain(refusal why, const election& primary, const read_request* request,
                      time_point now) const;

  const topology_params params_;
  std::map<host_id, host_evidence> hosts_;
  host_id next_id_ = 0;
  /// The cluster; 0 before it is known.
  std::uint64_t system_id_ = 0;
  timeline_board timelines_;
  primary_log primary_log_;
  std::optional<host_id> writer_;
  std::uint32_t writer_timeline_ = 0;
  std::uint64_t generation_ = 0;
  /// Kept for its memory.
  std::vector<candidate> candidates_;
};

}  // namespace scalekit::db::detail

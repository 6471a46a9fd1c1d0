#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/core/log.hpp"
#include "scalekit/core/request_scope.hpp"
#include "scalekit/slow/lexer.hpp"
#include "scalekit/slow/report.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <string_view>
#include <vector>

namespace scalekit::slow {

/// Settings of a tracker.
struct tracker_params {
  /// A call that took at least this long, waiting included, is logged as "slow.statement".
  /// Default 100 ms. Range 0 (every call) to 1 h.
  std::chrono::nanoseconds slow_threshold = std::chrono::milliseconds{100};

  /// Slow calls logged a second, and the burst; the rest is counted, and the count is in the next
  /// record. Default 10. Range 1 to 1'000'000.
  std::uint32_t slow_log_per_second = 10;

  /// Statements (fingerprints) that are told apart; calls of all others are counted together, see
  /// tracker::overflow(). Default 1000: each costs some 12 KiB. Range 1 to 100'000.
  std::size_t max_statements = 1000;

  /// Statement texts remembered, so that known ones are not normalised again. Default 4000, for
  /// programs that write a statement in several ways. Range 16 to 1'000'000. Texts over 16 KiB
  /// are never remembered, nor more than 1 KiB times this altogether.
  std::size_t max_texts = 4000;

  /// Calls of one statement from one place within one request that make an N+1 finding. Default
  /// 10. Range 2 to 1'000'000; 0 turns the detection off.
  std::uint32_t n_plus_one_threshold = 10;

  /// Calls of a request further apart than this are not counted together: a scope that lives for
  /// hours is no request. Default 10 s. Range 1 ms to 1 h.
  std::chrono::nanoseconds n_plus_one_window = std::chrono::seconds{10};

  /// Where slow calls and findings are reported. Default: nowhere. Called outside all locks.
  log_sink log = {};

  /// Read only where record() is not told when the call ended, and by reports. It must outlive
  /// the tracker.
  const clock* time = &clock::system();
};

/// How a call ended.
enum class outcome : std::uint8_t { ok, error, timeout, cancelled };

/// Where the time of one call went. Negative parts count as 0.
struct call_times {
  /// For a host, a connection, the writer, or a place in a queue.
  std::chrono::nanoseconds wait{0};
  /// Until the first row, or the end of a statement without rows.
  std::chrono::nanoseconds execute{0};
  /// From the first row to the last.
  std::chrono::nanoseconds fetch{0};
  /// When the call ended. Give what was read to measure the above; left out, the tracker reads
  /// its clock once more.
  time_point finished{};
};

namespace detail {
class statement_entry;
}

/// A statement that a tracker knows: what record() takes. A pointer in size and cost, to be kept
/// beside a prepared statement.
///
/// Object lifetimes: valid as long as its tracker. Default-constructed: no statement.
class statement_ref {
 public:
  statement_ref() = default;

  explicit operator bool() const noexcept { return entry_ != nullptr; }
  friend bool operator==(statement_ref, statement_ref) = default;

 private:
  friend class tracker;
  explicit statement_ref(detail::statement_entry* entry) noexcept : entry_(entry) {}

  detail::statement_entry* entry_ = nullptr;
};

/// Counts and times statements by fingerprint, logs slow ones, and finds N+1 patterns.
///
///     auto s = tracker.statement("select name from product where id = ?1", dialect::sqlite);
///     tracker.record(s, {.wait = w, .execute = x, .finished = now}, rows, outcome::ok,
///                    std::source_location::current(), scope);
///
/// Both calls of the example never throw and never fail the call they report on: what does not
/// fit is counted in overflow(). For a known text neither locks nor allocates, except that a call
/// with a request scope takes one of 64 locks, and from its N+1 threshold on a common one. Memory
/// is bounded by the settings however many different statements come.
///
/// No value, literal or comment of a statement is kept in reports or logged; texts are kept in
/// memory as a key, up to max_texts.
///
/// Thread safety: every member may be called from any thread. Reports are taken while recording
/// goes on, so the counts in one may differ by the calls under way.
/// After fork(): in the child, statement() and record() do nothing and reports throw errc::forked.
class SCALEKIT_EXPORT tracker {
 public:
  /// Throws std::invalid_argument, naming the field, for settings out of range.
  explicit tracker(tracker_params params = {});
  ~tracker();

  tracker(const tracker&) = delete;
  tracker& operator=(const tracker&) = delete;

  /// The entry of a statement. Hot: a text that was seen before is found by its address or its
  /// content, without normalising. Texts are remembered from their second occurrence, so that
  /// statements with literals in them do not crowd out the others.
  statement_ref statement(std::string_view sql, dialect d) noexcept;

  /// Reports one call. Does nothing for a default-constructed `s`; `s` must be of this tracker.
  ///
  /// `rows`: read or changed. `call_site`: where the host made the call; its strings are those of
  /// the compiler and are kept. `scope`: the request the call belongs to, or a default one.
  /// `bind_hash`: any 64-bit hash of the bind values, 0 for unknown; only whether two are equal
  /// matters, and that is how loops over ids are told from mere repetition.
  void record(statement_ref s, const call_times& times, std::uint64_t rows, outcome how,
              const std::source_location& call_site, const request_scope& scope,
              std::uint64_t bind_hash = 0) noexcept;

  /// The `n` statements that come first by `order`, greatest first; those without calls are left
  /// out, and the overflow takes part.
  /// Takes a few milliseconds with a thousand statements. Errors: errc::forked, std::bad_alloc, as
  /// for all reports below.
  std::vector<statement_report> top(std::size_t n, top_by order) const;

  /// The statement with this fingerprint, if it is known.
  std::optional<statement_report> find(std::uint64_t fingerprint) const;

  /// The calls of all statements beyond max_statements, under fingerprint 0. The first such call
  /// is logged as "slow.overflow".
  statement_report overflow() const;

  /// What was found since the start or the last reset(): at most 100, those in most requests
  /// first.
  std::vector<n_plus_one_report> n_plus_one_findings() const;

  tracker_totals totals() const;

  /// Sets all counts to zero and drops the findings. Statements stay known and their refs valid.
  /// A call being recorded meanwhile may be split between before and after.
  void reset();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace scalekit::slow

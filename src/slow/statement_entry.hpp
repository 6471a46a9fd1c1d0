#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/core/histogram.hpp"
#include "scalekit/slow/report.hpp"
#include "scalekit/slow/tracker.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <source_location>
#include <string>

namespace scalekit::slow {

/// Both clocks at one moment: reports tell steady times as wall times with it.
struct moment {
  time_point steady;
  wall_time wall;

  wall_time to_wall(time_point t) const noexcept {
    return wall - std::chrono::duration_cast<std::chrono::microseconds>(steady - t);
  }
};

/// One call as it is counted: no negative times, `finished` set.
struct counted_call {
  call_times times;
  std::chrono::nanoseconds total{0};
  std::uint64_t rows = 0;
  outcome how = outcome::ok;
  std::source_location where;
};

/// What is counted for one statement and one place it is called from.
///
/// The place is known by the address of the compiler's file name, which is compared on every
/// call; the text is copied, because a plugin's strings go with it.
struct call_site_entry {
  const char* file_address = nullptr;
  call_site where;
  std::atomic<std::uint64_t> calls{0};
  std::uint64_t calls_before = 0;
};

}  // namespace scalekit::slow

namespace scalekit::slow::detail {

/// The counts of one statement.
///
/// They only ever grow; a reset remembers where they stood, so that no call is lost to it.
/// Thread safety: add() from any thread, without a lock for places seen before. The others by one
/// thread at a time: the tracker's lock on reports.
class statement_entry {
 public:
  statement_entry(std::uint64_t fingerprint, std::string text)
      : fingerprint_(fingerprint), text_(std::move(text)) {}

  std::uint64_t fingerprint() const noexcept { return fingerprint_; }
  const std::string& text() const noexcept { return text_; }

  void add(const counted_call& call) noexcept;

  /// Counts since the last reset.
  struct counts {
    std::array<std::uint64_t, 4> by_outcome{};
    std::uint64_t rows = 0;
    std::uint64_t elsewhere = 0;
    std::chrono::nanoseconds wait{0};
    std::chrono::nanoseconds execute{0};
    std::chrono::nanoseconds fetch{0};

    std::uint64_t failed() const noexcept;
    std::uint64_t calls() const noexcept;
    std::chrono::nanoseconds total() const noexcept { return wait + execute + fetch; }
  };
  counts current() const noexcept;
  histogram_snapshot durations() const { return durations_.snapshot().since(durations_before_); }

  statement_report report(const moment& now) const;
  void reset();

 private:
  static constexpr std::size_t max_sites = 8;

  void count_site(const std::source_location& where) noexcept;
  call_site_entry* add_site(std::size_t from, const std::source_location& where) noexcept;
  counts grown() const noexcept;

  const std::uint64_t fingerprint_;
  const std::string text_;

  std::array<std::atomic<std::uint64_t>, 4> by_outcome_{};
  std::atomic<std::uint64_t> rows_{0};
  std::atomic<std::int64_t> wait_ns_{0};
  std::atomic<std::int64_t> execute_ns_{0};
  std::atomic<std::int64_t> fetch_ns_{0};
  std::atomic<std::uint64_t> elsewhere_{0};
  // As ticks of the steady clock; 0 for never.
  std::atomic<std::int64_t> first_seen_{0};
  std::atomic<std::int64_t> last_seen_{0};

  // Filled from the front, under the lock; read without.
  std::array<std::atomic<call_site_entry*>, max_sites> sites_{};
  std::array<std::unique_ptr<call_site_entry>, max_sites> owned_sites_;
  std::mutex sites_mutex_;

  histogram durations_;

  counts before_;
  histogram_snapshot durations_before_;
};

}  // namespace scalekit::slow::detail

#pragma once

#include "redis/blocking_line.hpp"
#include "redis/call_errors.hpp"
#include "redis/master_watch.hpp"
#include "redis/site.hpp"
#include "scalekit/redis/detail/request.hpp"
#include "scalekit/redis/reply.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

namespace scalekit::redis::detail {

/// What a blocking call is, beside its command.
struct blocking_frame {
  time_point until{};
  bool may_repeat = false;
  std::stop_token stop = {};
};

/// The connections that blocking callers drive themselves: few, and nobody waits for one. Whoever
/// finds none free, or the server not to be reached at once, goes by the lane, which knows how to
/// wait.
///
/// Thread safety: every member may be called from any thread.
class direct_pool {
 public:
  explicit direct_pool(std::shared_ptr<site> at);

  /// The answer; nothing: the call was not made, or may be made once more, by the lane. Throws what
  /// became of it instead.
  std::optional<reply> run(request& what, const blocking_frame& frame);

  /// Connections of a term older than `term` serve no further call, and, at once, not even the one
  /// that they serve now; see master_watch.
  void retire(std::uint64_t term, bool at_once);

  /// Those that are used end with errc::closed.
  void close();

  std::size_t open() const;
  std::size_t busy() const;

 private:
  using line_ptr = std::unique_ptr<blocking_line>;

  /// A line in use.
  class loan;

  /// Null: there is none, for now.
  line_ptr take(time_point until, const std::stop_token& stop);
  line_ptr dial(time_point until, const std::stop_token& stop);
  /// To a server that has to be where `said` says, if that is said.
  line_ptr dial_any(const std::optional<master_answer>& said, time_point until,
                    const std::stop_token& stop);
  std::optional<master_answer> find_master(time_point until);
  std::vector<endpoint> resolve(const place& server, time_point until);
  bool is_outdated(const blocking_line& line) const noexcept;
  void give_back(line_ptr line, bool is_sound) noexcept;
  blocking_line::end converse(blocking_line& line, request& what, const blocking_frame& frame,
                              answers& to_come, reply& answer);
  [[noreturn]] void end_badly(blocking_line::end how, const blocking_line& line,
                              const request& what, const blocking_frame& frame);

  const std::shared_ptr<site> site_;
  mutable std::mutex mutex_;
  std::vector<line_ptr> idle_;
  std::vector<blocking_line*> busy_;
  std::vector<blocking_line*> dialing_lines_;
  /// With those that have no line yet.
  std::size_t dialing_ = 0;
  /// Where connecting to a server that is always the same has succeeded; empty: not known.
  std::vector<endpoint> known_;
  std::uint64_t failures_ = 0;
  time_point next_dial_{};
  bool closed_ = false;
};

}  // namespace scalekit::redis::detail

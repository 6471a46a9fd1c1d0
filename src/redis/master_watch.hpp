#pragma once

#include "redis/master_search.hpp"
#include "redis/master_view.hpp"
#include "redis/place.hpp"
#include "scalekit/core/error.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace scalekit::redis::detail {

struct site;

/// How a search for the master has ended.
struct master_answer {
  /// Nothing: `failure` says why.
  std::optional<place> where = {};
  failed_search failure = {};
  /// In which it was found; see master_view.
  std::uint64_t term = 0;
  std::size_t sentinel = 0;
  /// For people: who says that it is there.
  std::string says = {};
};

/// What the connections of a client by sentinels know together of its master: they ask where it
/// is, say what they found there, and hear when they are outdated. It does no I/O: searches are
/// made by whoever serves it.
///
/// Thread safety: every member may be called from any thread.
class master_watch {
 public:
  /// `of` is the one that it belongs to.
  explicit master_watch(const site& of) : of_(of) {}

  /// Calls `then` once, on any thread, maybe in this function; what is asked while a search is
  /// under way is answered by it. `then` does not throw.
  void find(std::function<void(const master_answer&)> then);

  /// A server where `said` had said has answered that it is the master. The term of the connection
  /// from now on; nothing: it is outdated already.
  std::optional<std::uint64_t> confirm(const master_answer& said);
  /// There was no master where `said` had said.
  void doubt(const master_answer& said);
  /// The server of a connection of `term` has answered that it is a replica.
  void suspect(std::uint64_t term);

  /// Connections of older ones are outdated.
  std::uint64_t term() const noexcept { return term_.load(std::memory_order_acquire); }
  /// For statistics. "": not known yet.
  std::string current() const;
  std::uint64_t failovers() const;

  /// Who does the work. Its members are called one at a time, and may call none of serve().
  struct service {
    /// Begins a search unless one is under way. Throws what keeps it from that.
    std::function<void()> search = {};
    /// Runs a task in the loop in which searches are made.
    std::function<void(std::function<void()>)> post = {};
    /// Searches ask another sentinel first than this one.
    std::function<void(std::size_t)> doubt = {};
    /// Connections of terms older than `term` are outdated: `why`. They are given up at once, or
    /// take no more calls and end with the last that they have.
    std::function<void(std::uint64_t term, const std::string& why, bool at_once)> retire = {};
  };
  /// Once it returns, what served before is called no more. An empty one ends it: who waits for a
  /// search, and who comes later, is told that the client was closed.
  void serve(service by);

  // For who serves.

  bool is_awaited() const;
  /// Runs `task` in its loop, unless that has gone.
  void post(std::function<void()> task);
  void answer(const found_master& found);
  void answer(const failed_search& failure);
  /// `sentinel` says, unasked, that the master is there. True: that was news.
  bool announce(const place& where, const place& sentinel);

 private:
  void give_out(const master_answer& said);
  void retire(const std::string& why, bool at_once);

  const site& of_;
  std::atomic<std::uint64_t> term_{0};

  mutable std::mutex mutex_;
  master_view view_;
  std::vector<std::function<void(const master_answer&)>> waiting_;

  /// Taken before mutex_ where both are.
  std::mutex service_mutex_;
  service service_;
};

}  // namespace scalekit::redis::detail

#pragma once

#include "adapters/change_board.hpp"
#include "scalekit/adapters/result_cache_params.hpp"
#include "scalekit/adapters/result_cache_statistics.hpp"
#include "scalekit/cache/store.hpp"
#include "scalekit/core/counter.hpp"
#include "scalekit/db/client.hpp"
#include "scalekit/db/listener.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace scalekit::adapters::detail {

/// What the handles of a result cache share: a change_board, told of what happens, and the probes
/// that it asks for.
///
/// Thread safety: every member may be called from any thread.
class result_cache_state : public std::enable_shared_from_this<result_cache_state> {
 public:
  result_cache_state(db::client c, cache::store s, result_cache_params p);

  /// Apart from the constructor: callbacks need the shared pointer.
  void start();

  read_plan plan(std::span<const std::string> tables, const read_need& need);
  bool is_current(std::span<const std::string> tables, const read_plan& plan) const;

  /// Throws errc::invalid_argument for what is no token.
  void wrote(std::span<const std::string> tables, std::string_view token);
  void lost_writes();

  result_cache_statistics statistics() const;

  db::client client;
  cache::store store;
  const result_cache_params params;
  /// Begins the keys of this cache: nobody else shares its count of changes.
  const std::string id;

  struct counters {
    counter hits, misses, shared;
    counter by_choice, deaf, ahead;
    counter changed, large;
    counter tables_written, notices, resyncs;
    counter probes, probes_failed;
  } counted;

 private:
  void heard(const db::notification& said);
  /// Tells the board with `what` and sends the probe that follows, if any.
  template <class What>
  void tell(What what);
  void send(const change_board::probe& probe);
  void look_for_trigger(const std::string& table);
  void failed(std::uint64_t number, const char* why);

  const std::string own_channel_;
  mutable std::mutex mutex_;
  change_board board_;
  /// Tables whose triggers were looked for.
  std::set<std::string, std::less<>> looked_at_;
  /// The last probe failed.
  bool is_failing_ = false;
  /// Last: it calls back until it is gone.
  std::unique_ptr<db::listener> listener_;
};

}  // namespace scalekit::adapters::detail

#pragma once

#include "redis/master_search.hpp"
#include "redis/sentinel_ear.hpp"
#include "redis/sentinel_line.hpp"
#include "redis/site.hpp"
#include "scalekit/redis/reply.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace scalekit::redis::detail {

/// Asks the sentinels of a client where the master is, when somebody wants to know, and listens to
/// all of them: one that is cut off from the others does not hear of a new master.
///
/// Thread safety: search(), doubt() and close() may be called from any thread. `loop` is run by one
/// thread.
class master_scout : public std::enable_shared_from_this<master_scout> {
 public:
  /// `of` has sentinels.
  master_scout(std::shared_ptr<site> of, const boost::asio::any_io_executor& loop);

  // As master_watch::service has them.

  void search();
  void doubt(std::size_t sentinel);

  void close();

 private:
  // In the loop.
  void begin();
  void begin_listening();
  void ask(std::size_t sentinel);
  void heard(const reply& said);
  void judge(sentinel_word word);
  void hang_up();

  const std::shared_ptr<site> site_;
  const boost::asio::any_io_executor loop_;
  bool is_over_ = false;
  master_search search_;
  /// To the sentinel that is being asked; else null.
  std::shared_ptr<sentinel_line> asked_;
  /// What it has answered so far.
  std::optional<reply> address_;
  std::vector<std::shared_ptr<sentinel_ear>> ears_;
};

}  // namespace scalekit::redis::detail

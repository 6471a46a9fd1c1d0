#pragma once

#include "redis/place.hpp"
#include "redis/sentinel_line.hpp"
#include "redis/site.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace scalekit::redis::detail {

/// Listens to what a sentinel says of the service, for as long as it lives: each time that it comes
/// to it, where the master is, and then each time that this changes.
///
/// Thread safety: in `loop` only, which one thread runs.
class sentinel_ear : public std::enable_shared_from_this<sentinel_ear> {
 public:
  /// `is_news`: it has just changed.
  using teller = std::function<void(const place& master, bool is_news)>;

  sentinel_ear(std::shared_ptr<site> of, const boost::asio::any_io_executor& loop, place sentinel,
               teller tell);

  void listen();
  void close();

 private:
  void heard(const reply& said);
  void lost(const std::string& why);

  const std::shared_ptr<site> site_;
  const boost::asio::any_io_executor loop_;
  const place sentinel_;
  const teller tell_;
  boost::asio::steady_timer pause_;
  std::shared_ptr<sentinel_line> line_;
  /// What has come, up to three.
  int answers_ = 0;
  std::uint64_t failures_ = 0;
};

}  // namespace scalekit::redis::detail

#pragma once

#include "redis/place.hpp"
#include "redis/tls_session.hpp"
#include "scalekit/core/counter.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/execution.hpp"
#include "scalekit/core/log.hpp"
#include "scalekit/core/random.hpp"
#include "scalekit/redis/statistics.hpp"

#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scalekit::redis::detail {

class master_watch;

/// Totals of a client.
struct counters {
  /// Counts a call that ends with `e`, and gives it back.
  const error& count(const error& e) noexcept;

  /// What became of calls, as it is told of a client.
  void tell_calls(client_statistics& to) const noexcept;

  counter calls, direct_calls, failed, refused, shed, timeouts, cancelled, in_doubt, repeated,
      scripts_sent, dials, dial_failures, lost, given_up, writes, sent, received;
};

/// What all connections of a client have in common. Lives as long as the last of them.
///
/// Thread safety: every member may be called from any thread.
struct site {
  /// Throws std::invalid_argument for what TLS cannot use.
  site(target to, scalekit::execution e);
  ~site();

  const std::string name;
  const place where;
  const std::vector<place> sentinels;
  const client_params params;
  const bool reads_replica;
  const scalekit::execution exec;
  /// Nothing: in plain.
  std::optional<tls_context> tls;
  /// Null: the server is the one that the URL says.
  std::unique_ptr<master_watch> master;
  counters counted;
  random_generator random;

  /// For the answer of one sentinel: all of them, and the master, can be tried within the time of
  /// one attempt to connect. Precondition: there are some.
  std::chrono::nanoseconds sentinel_patience() const noexcept {
    return params.connect_timeout / (std::ssize(sentinels) + 1);
  }

  /// What a server has to be for us.
  server_role wanted() const noexcept;

  const error& count(const error& e) noexcept { return counted.count(e); }

  /// Of what happened at `at`.
  void log(log_level level, std::string_view event, std::string_view message,
           const place& at) const noexcept;
  void log(log_level level, std::string_view event, std::string_view message) const noexcept {
    log(level, event, message, where);
  }
};

}  // namespace scalekit::redis::detail

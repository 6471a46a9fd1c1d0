#pragma once

#include "redis/place.hpp"
#include "redis/tls_session.hpp"
#include "scalekit/core/counter.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/execution.hpp"
#include "scalekit/core/log.hpp"
#include "scalekit/core/random.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace scalekit::redis::detail {

/// Totals of a client.
struct counters {
  /// Counts a call that ends with `e`, and gives it back.
  const error& count(const error& e) noexcept;

  counter calls, direct_calls, failed, refused, shed, timeouts, cancelled, in_doubt, repeated,
      scripts_sent, dials, dial_failures, lost, given_up, writes, sent, received;
};

/// What all connections of a client have in common. Lives as long as the last of them.
///
/// Thread safety: every member may be called from any thread.
struct site {
  /// Throws std::invalid_argument for what TLS cannot use.
  site(target to, scalekit::execution e)
      : where(std::move(to.where)),
        name(where.name()),
        params(std::move(to.params)),
        reads_replica(to.reads_replica),
        exec(std::move(e)) {
    if (to.is_protected) tls.emplace(params.tls, where.host);
  }

  const place where;
  const std::string name;
  const client_params params;
  const bool reads_replica;
  const scalekit::execution exec;
  /// Nothing: in plain.
  std::optional<tls_context> tls;
  counters counted;
  random_generator random;

  const error& count(const error& e) noexcept { return counted.count(e); }

  void log(log_level level, std::string_view event, std::string_view message) const noexcept;
};

}  // namespace scalekit::redis::detail

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>

namespace scalekit::redis {

/// Who in a cluster answers what only reads.
enum class read_from : std::uint8_t {
  master,
  /// A replica of the key's master: what it says may be old, by as much as replication lags and
  /// without bound while it has lost its master. The master where no replica answers.
  replica,
};

/// What one call may ask for, beside its command.
struct call_options {
  /// For the whole call: waiting for a connection, sending, the answer. Default: the client's
  /// timeout. Zero or less: already over.
  std::optional<std::chrono::nanoseconds> timeout = {};

  /// Stops the call, which then throws errc::cancelled; others on the connection do not notice. The
  /// async_ forms watch their token's cancellation slot as well. What the server was sent already
  /// it may run all the same.
  std::stop_token stop = {};

  /// The caller says that the command may run twice: it is then sent again when a connection is
  /// lost, as one that only reads is anyway. Default false.
  bool idempotent = false;

  /// Its answer is expected to be large: it goes with the large values, so that others do not wait
  /// behind it. Default false; what is sent is known to be large by itself.
  bool large_reply = false;

  /// In a cluster. What may write goes to the master all the same, and so does what is not known to
  /// read only. Default master. One server: not used.
  redis::read_from read_from = redis::read_from::master;
};

}  // namespace scalekit::redis

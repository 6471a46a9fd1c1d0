#pragma once

#include "scalekit/core/log.hpp"
#include "scalekit/db/credentials.hpp"

#include <chrono>
#include <cstddef>
#include <string>

namespace scalekit::adapters {

struct result_cache_params {
  /// Where changes of others are heard of: the URL of the client's database, as for db::listener,
  /// which must lead to its servers directly and not through a transaction pooler. Of several hosts
  /// all. Exactly one of this and `is_only_writer` is needed.
  std::string listen_url = {};

  /// As listener_params::credentials, for the connection that listens.
  db::credentials_source credentials = {};

  /// You answer for it: nobody changes the tables but by calls of this result_cache, or it is told
  /// with wrote(). Then nothing is listened to. This is what SQLite needs, which notifies nobody;
  /// what another process writes to the file all the same is seen when the time to live is over.
  bool is_only_writer = false;

  /// What the triggers notify; see change_triggers.hpp. 1 to 46 bytes.
  std::string channel = "scalekit_changed";

  /// Every change of others is seen this long after it was acknowledged, at the latest, whatever
  /// happens to the connection that hears of it; as a rule it takes a round trip. To prove that
  /// nothing was missed, a cache in use sends the server a notification to itself four times in
  /// this time, and without proof its reads go to the database. Default 2 s. Range 200 ms to 1 min.
  std::chrono::nanoseconds max_staleness = std::chrono::seconds(2);

  /// Results of more rows are not kept, nor are those that take more bytes: they are read each time
  /// anew. Defaults 10'000 and 1 MiB. Ranges 1 to 10'000'000 and 1 KiB to 1 GiB; what exceeds
  /// max_value_bytes of the store is not kept either.
  std::size_t max_rows = 10'000;
  std::size_t max_bytes = std::size_t{1} << 20;

  /// Of reads whose options name none, for the whole call; as client_params::statement_timeout.
  /// Default 5 s. Range 1 ms to 24 h.
  std::chrono::nanoseconds timeout = std::chrono::seconds(5);

  /// Events: those of db::listener, and "adapters.result_cache.probe_failed", the first of several,
  /// when the primary does not tell its position; and "adapters.result_cache.no_trigger", once for
  /// each table that lacks the trigger of change_triggers.hpp under the channel's name.
  log_sink log = {};
};

}  // namespace scalekit::adapters

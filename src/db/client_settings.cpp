#include "scalekit/db/client_settings.hpp"

#include "core/byte_units.hpp"
#include "db/pool/pool_settings.hpp"
#include "db/topology/host_spec.hpp"

#include <chrono>
#include <optional>

namespace scalekit::db {

using namespace std::chrono_literals;
using scalekit::detail::gib, scalekit::detail::kib, scalekit::detail::tib;

namespace {

const settings_schema<sqlite_params>& sqlite_settings() {
  using p = sqlite_params;
  static const auto schema =
      settings_schema<p>("sqlite_params")
          .field("readers", &p::readers, 1, 64, "Connections for reads, opened when needed")
          .choice("mode", &p::mode,
                  {{"rwc", sqlite_mode::read_write_create},
                   {"rw", sqlite_mode::read_write},
                   {"ro", sqlite_mode::read_only}},
                  "How the file is opened; rwc creates it")
          .choice("synchronous", &p::synchronous,
                  {{"off", synchronous_mode::off},
                   {"normal", synchronous_mode::normal},
                   {"full", synchronous_mode::full},
                   {"extra", synchronous_mode::extra}},
                  "When a commit counts as durable")
          .bytes("cache_bytes", &p::cache_bytes, 64 * kib, 16 * gib,
                 "Page cache of each connection")
          .bytes("mmap_bytes", &p::mmap_bytes, 0, tib, "Read this much through a memory map")
          .bytes("journal_size_limit", &p::journal_size_limit, 0, tib,
                 "The WAL file is cut to this after a checkpoint")
          .bytes("max_database_bytes", &p::max_database_bytes, 0, 256 * tib,
                 "Refuse to grow beyond; 0: no limit");
  return schema;
}

const settings_schema<topology_params>& topology_settings() {
  using p = topology_params;
  static const auto schema =
      settings_schema<p>("topology_params")
          .field("monitor_interval", &p::monitor_interval, 50ms, 1min,
                 "How often hosts are asked for role and position")
          .field("evidence_lease", &p::evidence_lease, 100ms, 10min, "How long an answer counts")
          .field("max_replica_lag", &p::max_replica_lag, 1ms, 24h,
                 "A replica further behind takes no ordinary reads")
          .field("catch_up_wait", &p::catch_up_wait, 0ms, 1min,
                 "Waiting for a replica before the primary is used")
          .field("slow_start", &p::slow_start, 0ms, 1h,
                 "Until a replica that came back has its full share")
          .field("region", &p::region, "Replicas with this label region are preferred")
          .list(
              "hosts", &p::hosts,
              "host[:port][:name=value,...] with IPv6 as [::1] and ports 1 to 65535, each place "
              "once",
              [](const auto& texts) { return detail::parse_hosts(texts).has_value(); },
              "The hosts, where the URL names none")
          .field("replica_labels", &p::replica_labels,
                 "Labels of hosts: host[:port]:name=value,...;...");
  return schema;
}

}  // namespace

const settings_schema<client_params>& client_settings() {
  using p = client_params;
  static const auto schema =
      settings_schema<p>("client_params")
          .field("statement_timeout", &p::statement_timeout, 1ms, 24h, "For one statement")
          .field("acquire_timeout", &p::acquire_timeout, 0ms, 24h,
                 "For the wait for a connection alone")
          .field("transaction_timeout", &p::transaction_timeout, 1ms, 24h,
                 "For a whole transaction")
          .field("max_waiting", &p::max_waiting, 0, 1'000'000,
                 "Callers that may wait; one more is shed")
          .field("statement_cache", &p::statement_cache, 1, 10'000,
                 "Prepared statements kept for each connection")
          // SQLite itself ends at 10^9.
          .bytes("max_value_bytes", &p::max_value_bytes, kib, 1'000'000'000,
                 "The largest value, row or statement text")
          .nested("", &p::sqlite, sqlite_settings())
          .field("lanes", &p::lanes, 0, 16, "Connections that concurrent reads share")
          .field("lane_latency", &p::lane_latency, 100us, 10s,
                 "Reads that take longer, with the way to the server, do not share one")
          .choice(
              "transaction_pooler", &p::transaction_pooler,
              {{"auto", std::nullopt}, {"true", true}, {"false", false}},
              "A pooler gives each transaction another connection to the server; auto: if there "
              "is a pooler")
          .nested("pool", &p::pool, detail::pool_settings())
          .nested("", &p::topology, topology_settings());
  return schema;
}

}  // namespace scalekit::db

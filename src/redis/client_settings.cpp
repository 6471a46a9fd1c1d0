#include "scalekit/redis/client_settings.hpp"

#include "core/byte_units.hpp"
#include "scalekit/core/core_settings.hpp"

#include <chrono>

namespace scalekit::redis {

using namespace std::chrono_literals;
using scalekit::detail::gib, scalekit::detail::kib, scalekit::detail::mib;

namespace {

const settings_schema<tls_params>& tls_settings() {
  using p = tls_params;
  static const auto schema =
      settings_schema<p>("tls_params")
          .field("ca_file", &p::ca_file,
                 "Who may vouch for the server; empty: whom the system trusts")
          .field("server_name", &p::server_name, "Whose certificate it must be; empty: the host's")
          .field("verify", &p::verify, "Whether the certificate is looked at")
          .field("certificate_file", &p::certificate_file, "The client's own certificate")
          .field("key_file", &p::key_file, "The key of certificate_file");
  return schema;
}

}  // namespace

const settings_schema<client_params>& client_settings() {
  using p = client_params;
  static const auto schema =
      settings_schema<p>("client_params")
          .field("timeout", &p::timeout, 1ms, 24h, "For one call")
          .field("acquire_timeout", &p::acquire_timeout, 0ms, 24h,
                 "For the wait for a connection alone")
          .field("connect_timeout", &p::connect_timeout, 1ms, 10min, "For one attempt to connect")
          .field("silence_timeout", &p::silence_timeout, 10ms, 1h,
                 "A connection on which nothing comes for so long is given up")
          .nested("reconnect", &p::reconnect, backoff_settings())
          .field("max_in_flight", &p::max_in_flight, 1, 1'000'000,
                 "Calls under way on a shared connection")
          .field("max_backlog", &p::max_backlog, 0, 10'000'000,
                 "Calls that may wait to be sent; one more is shed")
          .bytes("max_backlog_bytes", &p::max_backlog_bytes, 64 * kib, 64 * gib,
                 "Bytes that wait and are under way on a shared connection")
          .bytes("max_request_bytes", &p::max_request_bytes, kib, 512 * mib, "The largest command")
          .bytes("max_reply_bytes", &p::max_reply_bytes, kib, 16 * gib, "The largest reply")
          .bytes("large_bytes", &p::large_bytes, kib, 512 * mib,
                 "A larger command goes on a connection apart")
          .field("max_blocking", &p::max_blocking, 1, 10'000,
                 "Connections for commands that wait in the server")
          .field("direct_connections", &p::direct_connections, 0, 64,
                 "Connections that blocking callers drive themselves")
          .field("max_attempts", &p::max_attempts, 1, 10,
                 "How often a call that may be repeated is sent")
          .field("username", &p::username, "Who logs in: an ACL user")
          .secret("password", &p::password, "With which it logs in")
          .field("service", &p::service, "As sentinels call the master")
          .field("sentinel_username", &p::sentinel_username,
                 "Who logs in at the sentinels: an ACL user")
          .secret("sentinel_password", &p::sentinel_password, "With which it logs in there")
          .field("database", &p::database, 0, 1'000'000, "Selected on each connection")
          .field("client_name", &p::client_name, "As CLIENT LIST shows the connections")
          .nested("tls", &p::tls, tls_settings());
  return schema;
}

}  // namespace scalekit::redis

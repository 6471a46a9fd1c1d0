#pragma once

#include "scalekit/core/export.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace scalekit::ops {

/// One HTTP request of a load run, filled in by the run's source.
///
/// The generator uses one object again and again, cleared in between: strings keep their capacity,
/// so that a run does not allocate per request.
class SCALEKIT_EXPORT load_request {
 public:
  /// Index into load_params.kinds: the row of the report in which the request counts.
  std::size_t kind = 0;

  /// The client that sends it, 0 to load_params.clients - 1: it goes out on one of that client's
  /// connections. Unset: on any connection. Not looked at in a closed loop, where the connection
  /// decides.
  std::optional<std::size_t> client;

  /// Handed back with the response; scalekit does not look at it.
  std::uint64_t tag = 0;

  /// A token of RFC 9110, in capitals. Default GET.
  std::string method = "GET";

  /// Path and query, percent-encoded. Default "/".
  std::string target = "/";

  /// Sent with a Content-Length when not empty or when the method is POST, PUT or PATCH.
  std::string body;

  /// Adds a header. Host, Content-Length and User-Agent are added by the generator. Throws
  /// std::invalid_argument for a CR, LF or NUL in either, which would smuggle in a second request.
  load_request& header(std::string_view name, std::string_view value);

  /// Back to the defaults; no memory is freed.
  void clear() noexcept;

  /// Appends the request to `out` as HTTP/1.1. Throws std::invalid_argument for a method or target
  /// with a space or a control character in it.
  void append_to(std::string& out, std::string_view host) const;

 private:
  std::string header_lines_;
};

/// How a request ended. Each request that was due ends in exactly one of these.
enum class load_outcome {
  /// 2xx.
  ok,
  /// 3xx, for example 304.
  redirected,
  /// 429.
  limited,
  /// 4xx other than 429.
  client_error,
  /// 5xx.
  server_error,
  /// No complete response within load_params.timeout of the time at which the request was due,
  /// whether it waited for a connection or for the server.
  timeout,
  /// The connection was reset or closed before the response was complete, or what came was not
  /// HTTP.
  connection_error,
  /// Never sent, because load_params.max_waiting requests already waited for a connection, or
  /// because the run was stopped.
  dropped,
};

/// The outcome for an HTTP status of 200 or more.
SCALEKIT_EXPORT load_outcome outcome_of(unsigned status) noexcept;

/// What became of a request: the argument of load_params.on_response. Views die with the call.
struct load_response {
  load_outcome outcome = load_outcome::dropped;
  /// HTTP status; 0 without a response.
  unsigned status = 0;
  /// From the request.
  std::size_t kind = 0;
  std::uint64_t tag = 0;
  /// The client whose connection carried it; 0 if it was never sent.
  std::size_t client = 0;
  /// The first load_params.capture_bytes of the body.
  std::string_view body;
  /// From the time at which the request was due.
  std::chrono::nanoseconds latency{};
};

}  // namespace scalekit::ops

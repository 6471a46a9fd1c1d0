#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/ops/arrival_schedule.hpp"
#include "scalekit/ops/load_report.hpp"
#include "scalekit/ops/load_request.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace scalekit::ops {

/// Where a run stands; the argument of load_params.on_progress.
struct load_progress {
  std::chrono::nanoseconds elapsed{};
  std::chrono::nanoseconds duration{};
  /// Since the start of the run.
  load_counts counts;
  /// Waiting for a connection, and for a response.
  std::size_t waiting = 0;
  std::size_t in_flight = 0;
};

/// Settings of a load run.
struct load_params {
  /// The server: an IP address or a name, which is looked up once. No default.
  std::string host;

  /// Range 1 to 65535. No default.
  std::uint16_t port = 0;

  /// The schedule; see load_stage. No default.
  std::vector<load_stage> stages = {};

  /// Default poisson: independent users.
  spacing arrivals = spacing::poisson;

  /// Seed of the schedule. Default 1: two runs have the same schedule unless told otherwise.
  std::uint64_t seed = 1;

  /// A closed loop instead of a schedule: each connection sends as soon as it has its response,
  /// for the duration of the stages, whose rates do not count. Default off. Only for finding out
  /// how much a server can do: its latencies are blind to stalls, because a server that stalls
  /// slows the load down.
  bool closed_loop = false;

  /// Keep-alive connections, opened before the run. One carries one request at a time. Default
  /// 256. Range 1 to 20'000, and at least `clients`.
  std::size_t connections = 256;

  /// Clients that share the connections evenly: connection i belongs to client i modulo clients.
  /// Default 1. Range 1 to 20'000.
  std::size_t clients = 1;

  /// IPv4 address from which client 0 connects; client i adds i to it. With "127.0.1.1" on
  /// loopback, a server that limits by address sees as many addresses as there are clients.
  /// Default empty: the system chooses.
  std::string first_local_address = {};

  /// Counted from the time at which a request was due; after that it is given up, its connection is
  /// closed and another one is opened. Watched every 10 ms. Default 10 s. Range 1 ms to 1 h.
  std::chrono::milliseconds timeout{10'000};

  /// For each attempt to connect. Default 5 s. Range 1 ms to 1 min.
  std::chrono::milliseconds connect_timeout{5'000};

  /// Requests that may wait for a connection; one more is dropped, and counted as such. Default
  /// 100'000. Range 1 to 10'000'000.
  std::size_t max_waiting = 100'000;

  /// Above this 99th percentile of its own lateness, the generator reports itself as saturated.
  /// Default 10 ms. Range 100 us to 1 min.
  std::chrono::microseconds max_lateness{10'000};

  /// Names of the kinds of request: the rows of the report. Default: one kind. Range 1 to 256.
  std::vector<std::string> kinds = {"all"};

  /// Fills in the next request, already cleared, when it is due. Default: GET / forever. Called on
  /// the thread of run(); its time is the generator's own time. What it throws ends the run.
  std::function<void(load_request&)> source = {};

  /// Called once for each request when it has ended. Default: none. As `source` otherwise.
  std::function<void(const load_response&)> on_response = {};

  /// The part of each body that is kept for `on_response`. Default 0: none. Range 0 to 1 MiB.
  std::size_t capture_bytes = 0;

  /// Called once a second. Default: none. As `source` otherwise.
  std::function<void(const load_progress&)> on_progress = {};
};

/// An open-model HTTP/1.1 load generator.
///
/// Requests are due by a schedule that does not wait for the server, and latency counts from the
/// time at which a request was due: a stall of half a second shows in all requests that it delayed,
/// not in one a connection ("coordinated omission"). The time the server took is kept apart.
///
/// One thread, one event loop; responses are parsed but not stored. Plain HTTP only.
class SCALEKIT_EXPORT load_generator {
 public:
  /// Throws std::invalid_argument, naming the field, for settings out of range.
  explicit load_generator(load_params params);
  ~load_generator();

  load_generator(const load_generator&) = delete;
  load_generator& operator=(const load_generator&) = delete;

  /// Runs the schedule on the calling thread and waits for the last responses: in all at most
  /// connect_timeout + duration + timeout, and some 10 ms. May be called again; each call is a
  /// run of its own, with the same schedule.
  ///
  /// Errors: errc::unavailable when not one connection could be opened before the start;
  /// errc::not_allowed on a thread that is marked as an I/O thread; what a callback throws. A
  /// server that fails later is a finding, not an error.
  ///
  /// Cancellation: after a stop request (noticed within 10 ms) nothing more is sent, requests in
  /// flight count as dropped, and the report says `stopped`.
  ///
  /// Thread safety: one call at a time.
  load_report run(std::stop_token stop = {});

 private:
  load_params params_;
};

}  // namespace scalekit::ops

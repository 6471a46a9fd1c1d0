#pragma once

#include "db/postgres/host_pool.hpp"
#include "db/postgres/lane_set.hpp"
#include "db/topology/host_sample.hpp"
#include "scalekit/core/execution.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace scalekit::db::postgres {

/// One server and the ways to it.
struct host {
  host(const server_address& server, const client_params& params, std::shared_ptr<io_home> io,
       detail::host_id number, bool has_peers)
      : id(number),
        pool(std::make_shared<host_pool>(server, params, std::move(io))),
        lanes(pool, params.lanes, params.acquire_timeout, has_peers, lane::callers::in_loop),
        blocking_lanes(pool, (params.lanes + 1) / 2, params.acquire_timeout, has_peers,
                       lane::callers::threads),
        runners({}, {.threads = std::min(params.pool.max, most_runners), .name = "sk-db"}) {
    // The monitor has a connection as well.
    if (params.pool.fleet_budget) pool->share_with_fleet(has_peers ? 2 : 1);
  }

  /// Until no call is under way, or `until`.
  void wait_until_idle(time_point until) {
    lanes.wait_until_collected(until);
    blocking_lanes.wait_until_collected(until);
    pool->wait_until_idle(until);
  }

  /// Nothing new begins, and what waits is told.
  void close() {
    lanes.close();
    blocking_lanes.close();
    pool->close();
  }

  /// Its place in the URL, from 0.
  const detail::host_id id;
  const std::shared_ptr<host_pool> pool;
  /// In the loop of asynchronous calls, which may be the host's.
  lane_set lanes;
  /// In the client's own loop, which nothing holds up, for callers that block.
  lane_set blocking_lanes;
  /// Blocking reads that are under way.
  std::atomic<std::size_t> blocking_reads{0};
  /// Reads and read-only transactions that were sent here.
  mutable std::atomic<std::uint64_t> reads{0};
  /// Threads for the bodies of asynchronous transactions, which hold a connection each. On the work
  /// executor they would wait behind blocking callers that in turn wait for a connection; on those
  /// of another host, behind transactions that need none of this one's.
  const execution runners;

 private:
  static constexpr std::size_t most_runners = 1024;
};

using host_ptr = std::shared_ptr<host>;

}  // namespace scalekit::db::postgres

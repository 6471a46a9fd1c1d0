#pragma once

#include "db/postgres/host_pool.hpp"
#include "db/topology/host_sample.hpp"

#include <memory>

namespace scalekit::db::postgres {

/// One server and the ways to it.
struct host {
  host(const server_address& server, const client_params& params, std::shared_ptr<io_home> io,
       detail::host_id number)
      : id(number), pool(std::make_shared<host_pool>(server, params, std::move(io))) {}

  /// Its place in the URL, from 0.
  const detail::host_id id;
  const std::shared_ptr<host_pool> pool;
};

using host_ptr = std::shared_ptr<host>;

}  // namespace scalekit::db::postgres

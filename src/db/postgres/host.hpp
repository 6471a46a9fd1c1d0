#pragma once

#include "db/postgres/host_pool.hpp"

#include <memory>

namespace scalekit::db::postgres {

/// One server and the ways to it.
struct host {
  host(const server_address& server, const client_params& params, std::shared_ptr<io_home> io)
      : pool(std::make_shared<host_pool>(server, params, std::move(io))) {}

  const std::shared_ptr<host_pool> pool;
};

using host_ptr = std::shared_ptr<host>;

}  // namespace scalekit::db::postgres

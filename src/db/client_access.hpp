#pragma once

#include "scalekit/db/client.hpp"

#include <memory>
#include <utility>

namespace scalekit::db::detail {

/// For who puts something between a client and its driver.
struct client_access {
  static const std::shared_ptr<backend>& driver_of(const client& c) noexcept { return c.backend_; }
  static client with_driver(std::shared_ptr<backend> driver) noexcept {
    return client(std::move(driver));
  }
};

}  // namespace scalekit::db::detail

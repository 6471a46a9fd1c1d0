#include "scalekit/redis/client.hpp"

#include "redis/cluster.hpp"
#include "redis/place.hpp"
#include "redis/single_server.hpp"

namespace scalekit::redis {

client client::open(std::string_view url, client_params params, scalekit::execution exec) {
  if (detail::is_cluster_url(url)) {
    return client(std::make_shared<detail::cluster>(
        detail::cluster_target_from_url(url, std::move(params)), std::move(exec)));
  }
  return client(std::make_shared<detail::single_server>(
      detail::target_from_url(url, std::move(params)), std::move(exec)));
}

void client::close(std::chrono::nanoseconds timeout) {
  backend_->close(timeout);
}

client_statistics client::statistics() const {
  return backend_->statistics();
}

}  // namespace scalekit::redis

#pragma once

#include "cache/change_ear.hpp"
#include "cache/redis_names.hpp"
#include "scalekit/cache/store_params.hpp"
#include "scalekit/redis/subscriber.hpp"

namespace scalekit::cache::detail {

/// By the client tracking of a Redis server.
class redis_ear final : public change_ear {
 public:
  /// Of the server of `params`, which is no cluster.
  redis_ear(const store_params& params, listener to);

  void close() noexcept override { subscriber_.close(); }
  bool is_listening() const noexcept override { return subscriber_.is_listening(); }

 private:
  void tell(const redis::invalidation& changed) const;

  const redis_names names_;
  const listener to_;
  redis::subscriber subscriber_;
};

}  // namespace scalekit::cache::detail

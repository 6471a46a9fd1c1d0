#pragma once

#include "cache/redis_names.hpp"
#include "cache/shared_driver.hpp"
#include "scalekit/core/random.hpp"
#include "scalekit/redis/client.hpp"

#include <string>
#include <vector>

namespace scalekit::cache::detail {

/// A Redis server as a shared tier. Each request is one round trip.
class redis_driver final : public shared_driver {
 public:
  redis_driver(redis::client client, const std::string& name_space);

  bool is_asynchronous() const noexcept override { return true; }
  shared_answer run(const shared_request& what, const deadline& until) override;
  void start(const shared_request& what, const deadline& until, std::stop_token stop,
             callback then) override;
  const std::string& name() const noexcept override { return name_; }

 private:
  template <class Use>
  auto with_call(const shared_request& what, Use use);
  std::vector<std::string> names_of(const std::vector<std::string>& keys) const;

  redis::client client_;
  const std::string name_;
  const redis_names names_;
  random_generator random_;
};

}  // namespace scalekit::cache::detail

#pragma once

#include "cache/shared_driver.hpp"
#include "scalekit/core/random.hpp"
#include "scalekit/redis/client.hpp"

#include <string>
#include <string_view>

namespace scalekit::cache::detail {

/// A Redis server as a shared tier. Each request is one round trip.
///
/// An entry's key is "NAMESPACE:k:" and the key itself, the epoch's "NAMESPACE:e".
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
  std::string name_of(std::string_view key) const { return prefix_ + std::string(key); }

  redis::client client_;
  const std::string name_;
  const std::string epoch_name_;
  const std::string prefix_;
  random_generator random_;
};

}  // namespace scalekit::cache::detail

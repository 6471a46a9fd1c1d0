#pragma once

#include "cache/memcached_connection.hpp"
#include "cache/memcached_url.hpp"
#include "cache/shared_driver.hpp"
#include "scalekit/cache/store_params.hpp"
#include "scalekit/core/random.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::cache::detail {

/// memcached, on one or several hosts, as a shared tier.
///
/// It does nothing in one step but to compare and swap one entry: what a script does on Redis is a
/// look and a swap here. Each host has an epoch of its own, under "NAMESPACE:e", so that what a
/// look needs is on one host.
///
/// Thread safety: all members may be called from any thread; each call has a connection of its own.
class memcached_driver final : public shared_driver {
 public:
  memcached_driver(std::vector<memcached_host> hosts, std::string name_space);

  bool is_asynchronous() const noexcept override { return false; }
  shared_answer run(const shared_request& what, const deadline& until) override;
  void start(const shared_request& what, const deadline& until, std::stop_token stop,
             callback then) override;
  const std::string& name() const noexcept override { return name_; }

 private:
  using connection = memcached_connection;
  class lease;

  std::unique_ptr<connection> take();
  void give_back(std::unique_ptr<connection> used) noexcept;

  shared_answer find(connection& c, const std::vector<std::string>& keys);
  shared_answer claim(connection& c, const shared_request& what);
  shared_answer fill(connection& c, const shared_request& what);
  shared_answer put(connection& c, const std::vector<shared_item>& items);
  void clear(connection& c);

  bool put_one(connection& c, const std::string& name, const std::string& epoch,
               const shared_item& item);
  /// The epoch of the host of `group`, of which `seen` is what was found there. A new one where
  /// there is none.
  std::string epoch_of(connection& c, std::string_view group,
                       const std::optional<connection::item>& seen);
  std::uint32_t host_of(connection& c, const std::string& name) const;
  std::string name_for(std::string_view key) const;

  const std::vector<memcached_host> hosts_;
  const std::string name_;
  const std::string name_space_;
  const std::string epoch_name_;
  random_generator random_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<connection>> idle_;
};

/// Of the URL and the namespace in `params`. Throws std::invalid_argument.
std::unique_ptr<shared_driver> open_memcached_driver(const store_params& params);

}  // namespace scalekit::cache::detail

#pragma once

#include "support/redis/server.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace support::redis {

struct sentinels_params {
  std::size_t replicas = 1;
  /// Of the servers.
  std::string password{};
  /// Of the sentinels.
  std::string sentinel_password{};
  /// So long a master is silent before another one is made.
  std::chrono::milliseconds down_after{500};
};

/// A master, its replicas, and three sentinels that watch them as the service "shop": real
/// processes. Each can be stopped, killed, frozen and started as support::redis::server says.
///
/// Every wait ends within a minute; what fails throws std::runtime_error. One thread at a time.
class sentinels {
 public:
  /// Returns once the sentinels know each other and the replicas.
  explicit sentinels(sentinels_params params = {});

  static constexpr std::size_t count = 3;

  /// redis+sentinel://[:password@]127.0.0.1:PORT,...?service=shop[&sentinel_password=...]
  std::string url() const { return url_for("shop"); }
  std::string url_for(const std::string& service) const;

  server& sentinel(std::size_t i) const { return *sentinels_.at(i); }
  /// The master at first; the others are its replicas at first.
  server& data(std::size_t i) const { return *data_.at(i); }

  /// Returns once those sentinels that are there agree that it is another one than `old`.
  server& wait_for_another(const server& old) const;

 private:
  server& serve(const std::string& address) const;
  void begin_replication() const;
  void start_sentinels();
  bool are_ready() const;

  const sentinels_params params_;
  std::vector<std::unique_ptr<server>> data_;
  std::vector<std::unique_ptr<server>> sentinels_;
};

}  // namespace support::redis

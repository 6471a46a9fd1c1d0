#pragma once

#include "scalekit/cache.hpp"
#include "support/memcached/server.hpp"
#include "support/redis/server.hpp"
#include "support/stopped_process.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace cache_test {

using namespace std::chrono_literals;

/// A server that several stores share, of whichever kind.
class shared_server {
 public:
  virtual ~shared_server() = default;
  virtual std::string url() const = 0;
  virtual std::string url_at(std::uint16_t port) const = 0;
  virtual std::uint16_t port() const = 0;
  virtual void freeze() = 0;
  virtual void thaw() = 0;
  virtual void kill9() = 0;
  virtual void start() = 0;
  /// Puts bytes where a store of namespace "test" has the entry of `key`, which is one word.
  virtual void plant(const std::string& key, const std::string& bytes) = 0;
};

class redis_server final : public shared_server {
 public:
  std::string url() const override { return server.url(); }
  std::string url_at(std::uint16_t port) const override { return server.url_at(port); }
  std::uint16_t port() const override { return server.port(); }
  void freeze() override {
    server.freeze();
    support::wait_until_stopped(server.pid());
  }
  void thaw() override { server.thaw(); }
  void kill9() override { server.kill9(); }
  void start() override { server.start(); }
  void plant(const std::string& key, const std::string& bytes) override {
    server.ask({"SET", "test:k:" + key, bytes});
  }

  support::redis::server server;
};

class memcached_server final : public shared_server {
 public:
  std::string url() const override { return server.url(); }
  std::string url_at(std::uint16_t port) const override { return server.url_at(port); }
  std::uint16_t port() const override { return server.port(); }
  void freeze() override { server.freeze(); }
  void thaw() override { server.thaw(); }
  void kill9() override { server.kill9(); }
  void start() override { server.start(); }
  void plant(const std::string& key, const std::string& bytes) override {
    server.plant("test:k:" + key, bytes);
  }

  support::memcached::server server;
};

/// Runs a test once for each kind, with an empty server.
inline void for_each_server(const std::function<void(shared_server&)>& test) {
  SUBCASE("redis") {
    redis_server server;
    test(server);
  }
  SUBCASE("memcached") {
    memcached_server server;
    test(server);
  }
}

/// A store without memory, which asks the server each time, and patiently. It hears nothing of
/// changes, also with memory: what memory keeps does not depend on when a message comes.
inline scalekit::cache::store_params only_shared(const std::string& url) {
  return {.memory = {.max_bytes = 0},
          .shared = url,
          .shared_namespace = "test",
          .shared_coherence = false,
          .shared_timeout = 20s,
          .seed = 1};
}

inline scalekit::cache::store_params with_memory(const std::string& url) {
  auto params = only_shared(url);
  params.memory.max_bytes = 1 << 20;
  return params;
}

}  // namespace cache_test

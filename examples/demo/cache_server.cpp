#include "cache_server.hpp"

#include <chrono>
#include <stdexcept>
#include <thread>

#ifdef DEMO_WITH_REDIS
#include "support/redis/server.hpp"
#endif
#ifdef DEMO_WITH_MEMCACHED
#include "support/memcached/server.hpp"
#endif

namespace demo {
namespace {

template <class Server>
class one_server final : public cache_server {
 public:
  std::string url() const override { return server_.url(); }
  void lose() override {
    server_.kill9();
    std::this_thread::sleep_for(std::chrono::seconds(1));
    server_.start();
  }

 private:
  Server server_;
};

}  // namespace

std::unique_ptr<cache_server> make_cache_server(options::cache_kind kind) {
  switch (kind) {
    case options::cache_kind::none:
      return nullptr;
    case options::cache_kind::redis:
#ifdef DEMO_WITH_REDIS
      return std::make_unique<one_server<support::redis::server>>();
#else
      throw std::runtime_error("built without Redis (SCALEKIT_WITH_REDIS)");
#endif
    case options::cache_kind::memcached:
#ifdef DEMO_WITH_MEMCACHED
      return std::make_unique<one_server<support::memcached::server>>();
#else
      throw std::runtime_error("built without memcached (SCALEKIT_WITH_MEMCACHED)");
#endif
  }
  return nullptr;
}

}  // namespace demo

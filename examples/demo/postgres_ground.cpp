#include "ground.hpp"

#include <stdexcept>

#ifdef DEMO_WITH_POSTGRES
#include "support/postgres/cluster.hpp"
#endif

namespace demo {

namespace fs = std::filesystem;

#ifdef DEMO_WITH_POSTGRES

namespace {

using namespace support::postgres;

/// As a server is set up that must lose nothing, but for its memory.
server_params careful() {
  return {.max_connections = 100,
          .fsync = true,
          .more = {{"shared_buffers", "128MB"},
                   {"max_wal_size", "2GB"},
                   {"wal_keep_size", "1GB"},
                   {"max_standby_streaming_delay", "1s"}}};
}

class postgres_ground final : public ground {
 public:
  explicit postgres_ground(fs::path dir) : dir_(std::move(dir)) {
    servers_.primary().create_database("catalogue");
  }

  shop_location catalogue() override { return at("catalogue"); }
  shop_location copy_of_catalogue(const std::string& name) override {
    fs::remove_all(dir_ / name);
    fs::create_directories(dir_ / name);
    servers_.primary().create_database(name, "catalogue");
    servers_.wait_until_caught_up();
    return at(name);
  }
  bool has_replicas() const override { return true; }
  void lose_a_replica() override { servers_.node(1).kill9(); }

 private:
  shop_location at(const std::string& name) const { return {dir_ / name, servers_.url(name)}; }

  fs::path dir_;
  cluster servers_{{.replicas = 2, .server = careful()}};
};

}  // namespace

std::unique_ptr<ground> make_postgres_ground(const fs::path& dir) {
  return std::make_unique<postgres_ground>(dir);
}

#else

std::unique_ptr<ground> make_postgres_ground(const fs::path&) {
  throw std::runtime_error("built without PostgreSQL (SCALEKIT_WITH_POSTGRES)");
}

#endif

}  // namespace demo

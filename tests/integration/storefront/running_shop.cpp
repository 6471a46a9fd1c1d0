#include "running_shop.hpp"

#ifdef STOREFRONT_TEST_ON_POSTGRES
#include "support/postgres/cluster.hpp"
#endif

namespace storefront_test {
namespace {

#ifdef STOREFRONT_TEST_ON_POSTGRES
struct shared_shop {
  temporary_directory dir;
  support::postgres::cluster servers{{.replicas = 2, .server = {.max_connections = 100}}};
  process shop{dir.path(), {"--catalogue", "generated:300", "--database", servers.url()}};
};
#else
struct shared_shop {
  temporary_directory dir;
  process shop{dir.path(), {"--catalogue", "generated:300", "--sync", "normal"}};
};
#endif

shared_shop& shared() {
  static shared_shop it;
  return it;
}

}  // namespace

process& running_shop() {
  return shared().shop;
}

const std::filesystem::path& shop_directory() {
  return shared().dir.path();
}

const char* backup_extension() {
#ifdef STOREFRONT_TEST_ON_POSTGRES
  return ".csv";
#else
  return ".db";
#endif
}

void let_replicas_follow() {
#ifdef STOREFRONT_TEST_ON_POSTGRES
  // A page is read from a replica that is at most half a second behind.
  std::this_thread::sleep_for(std::chrono::seconds(1));
#endif
}

std::string order_body(std::int64_t retailer, std::int64_t product, std::int64_t quantity) {
  return R"({"retailer":)" + std::to_string(retailer) + R"(,"lines":[{"product":)" +
         std::to_string(product) + R"(,"quantity":)" + std::to_string(quantity) + "}]}";
}

}  // namespace storefront_test

#include "running_shop.hpp"

namespace storefront_test {
namespace {

struct shared_shop {
  temporary_directory dir;
  process shop{dir.path(), {"--catalogue", "generated:300", "--sync", "normal"}};
};

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

std::string order_body(std::int64_t retailer, std::int64_t product, std::int64_t quantity) {
  return R"({"retailer":)" + std::to_string(retailer) + R"(,"lines":[{"product":)" +
         std::to_string(product) + R"(,"quantity":)" + std::to_string(quantity) + "}]}";
}

}  // namespace storefront_test

#include "ground.hpp"

namespace demo {
namespace {

namespace fs = std::filesystem;

class sqlite_ground final : public ground {
 public:
  explicit sqlite_ground(fs::path dir) : dir_(std::move(dir)) {}

  shop_location catalogue() override { return dir_ / "catalogue"; }
  shop_location copy_of_catalogue(const std::string& name) override {
    const auto dir = dir_ / name;
    fs::remove_all(dir);
    fs::create_directories(dir);
    fs::copy_file(dir_ / "catalogue" / "shop.db", dir / "shop.db");
    return dir;
  }

 private:
  fs::path dir_;
};

}  // namespace

std::unique_ptr<ground> make_sqlite_ground(const fs::path& dir) {
  return std::make_unique<sqlite_ground>(dir);
}

}  // namespace demo

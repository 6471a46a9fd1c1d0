#pragma once

#include "database.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace demo {

/// What the shoppers know of the shop.
struct catalogue {
  struct product {
    std::int64_t id = 0;
    std::string name;
  };
  std::vector<product> products;
  /// Large ones first: they are looked at most.
  std::vector<std::string> categories;
};

/// Reads it from a shop's database while no server runs. Throws scalekit::error.
catalogue read_catalogue(const shop_location& shop);

}  // namespace demo

#pragma once

#include "catalogue/package_record.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace storefront {

/// What the shop sells, as it is imported.
struct catalogue_product {
  std::int64_t id = 0;
  std::string name;
  std::string version;
  std::string category;
  std::string manufacturer;
  std::string description;
  std::int64_t size_bytes = 0;
  std::int64_t price_cents = 0;
  std::int64_t stock = 0;
  std::vector<std::string> depends;
};

/// Price and stock follow from the name alone, so that every machine sells a package at the same
/// price and a test can predict both.
catalogue_product to_product(std::int64_t id, package_record record);

}  // namespace storefront

#include "catalogue/product.hpp"

#include <string_view>
#include <utility>

namespace storefront {
namespace {

/// FNV-1a, 64 bits: std::hash may differ between machines.
std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

}  // namespace

catalogue_product to_product(std::int64_t id, package_record record) {
  auto hash = stable_hash(record.name);
  catalogue_product product;
  product.id = id;
  product.price_cents = 99 + static_cast<std::int64_t>(hash % 49'900);
  product.stock = 10'000 + static_cast<std::int64_t>((hash >> 32) % 90'000);
  product.size_bytes =
      record.download_bytes != 0 ? record.download_bytes : record.installed_kib * 1024;
  product.name = std::move(record.name);
  product.version = std::move(record.version);
  product.category = record.section.empty() ? "misc" : std::move(record.section);
  product.manufacturer = std::move(record.maintainer);
  product.description = std::move(record.description);
  product.depends = std::move(record.depends);
  return product;
}

}  // namespace storefront

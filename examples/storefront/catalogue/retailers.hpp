#pragma once

#include <scalekit/db/transaction.hpp>

#include <cstdint>

namespace storefront {

/// Retailers 1 to `retailer_count`, each with an account: number 7 logs in as "retailer7" with
/// the password "wholesale-7".
inline constexpr std::int64_t retailer_count = 200;

/// Adds them, and what they bought in earlier years of products 1 to `products`.
void add_retailers(scalekit::db::transaction& tx, std::int64_t products);

}  // namespace storefront

#pragma once

#include "http/router.hpp"
#include "shop.hpp"

// The pages, by what they are about. Each function adds its routes; the shop must outlive the
// router.

namespace storefront {

void add_product_pages(router& routes, shop& shop);
void add_order_pages(router& routes, shop& shop);
void add_account_pages(router& routes, shop& shop);
void add_operator_pages(router& routes, shop& shop);

}  // namespace storefront

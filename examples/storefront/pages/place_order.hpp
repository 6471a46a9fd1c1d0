#pragma once

#include "http/message.hpp"
#include "shop.hpp"

#include <scalekit/db/transaction.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace storefront {

/// What a retailer asks for, checked as far as it can be without the database.
struct order_request {
  struct line {
    std::int64_t product = 0;
    std::int64_t quantity = 0;
  };
  std::int64_t retailer = 0;
  std::vector<line> lines;
};

/// Throws problem (400).
order_request parse_order(std::string_view body);

/// What was acknowledged. Job ids are texts: in mode direct there is no queue that numbers them.
struct placed_order {
  std::int64_t id = 0;
  std::int64_t total_cents = 0;
  std::string payment_job;
  std::string inventory_job;
  std::string email_job;
};

/// Takes the goods, writes the order and enqueues its jobs: all of it or nothing. Throws problem
/// 404 for an unknown retailer or product, 409 when there is not enough of one.
placed_order place_order(shop& shop, scalekit::db::transaction& tx, const order_request& wanted);

}  // namespace storefront

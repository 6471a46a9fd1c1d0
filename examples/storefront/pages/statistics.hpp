#pragma once

#include "shop.hpp"

#include <boost/json/object.hpp>

namespace storefront {

/// What /stats shows: how the shop and the five parts are doing. Reads the queue's tables, so it
/// blocks.
boost::json::object collect_statistics(shop& shop);

}  // namespace storefront

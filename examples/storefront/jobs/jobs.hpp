#pragma once

#include "shop.hpp"

#include <scalekit/queue/worker.hpp>

#include <string>
#include <string_view>

namespace storefront {

/// Tells the worker how to run the six kinds. The shop must outlive the worker.
void add_order_jobs(scalekit::queue::worker& worker, shop& shop);
void add_housekeeping_jobs(scalekit::queue::worker& worker, shop& shop);

/// True for the kinds that an operator may start: report, backup, cache_cleanup.
bool is_housekeeping(std::string_view kind);

/// Mode direct: the same work, done now. Blocks. Returns the id that it was given.
std::string do_housekeeping_now(shop& shop, std::string_view kind);

}  // namespace storefront

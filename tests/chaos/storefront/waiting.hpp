#pragma once

#include "support/storefront/http_client.hpp"

namespace storefront_test {

/// `client` must be on this machine and say nothing else.
inline bool has_no_jobs_left(http_client& client) {
  auto stats = client.get("/stats").json();
  auto* queue = stats.if_contains("queue");
  return queue != nullptr && queue->at("ready").to_number<int>() == 0 &&
         queue->at("scheduled").to_number<int>() == 0 && queue->at("running").to_number<int>() == 0;
}

}  // namespace storefront_test

#pragma once

#include "support/storefront/http_client.hpp"

#include <chrono>
#include <thread>

namespace storefront_test {

/// Whether `condition` came to hold before `within` had passed.
template <class Condition>
bool eventually(std::chrono::seconds within, Condition condition) {
  auto until = std::chrono::steady_clock::now() + within;
  while (std::chrono::steady_clock::now() < until) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

/// `client` must be on this machine and say nothing else.
inline bool has_no_jobs_left(http_client& client) {
  auto stats = client.get("/stats").json();
  auto* queue = stats.if_contains("queue");
  return queue != nullptr && queue->at("ready").to_number<int>() == 0 &&
         queue->at("scheduled").to_number<int>() == 0 && queue->at("running").to_number<int>() == 0;
}

}  // namespace storefront_test

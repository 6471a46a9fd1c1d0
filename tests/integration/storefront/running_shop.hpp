#pragma once

#include "support/storefront/http_client.hpp"
#include "support/storefront/process.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

namespace storefront_test {

/// One shop with 300 generated products, shared by the tests of this program: each test comes
/// from an address of its own, so that they do not use up each other's limits.
process& running_shop();

/// The data directory of the same.
const std::filesystem::path& shop_directory();

/// What a backup of that shop's database is called.
const char* backup_extension();

/// Returns when whoever reads from a replica sees what was written before. At once where there is
/// none.
void let_replicas_follow();

std::string order_body(std::int64_t retailer, std::int64_t product, std::int64_t quantity);

/// Asks for `target` until `done(reply)`, or ten seconds have passed. The last reply.
template <class Condition>
reply get_until(http_client& client, const std::string& target, Condition done) {
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  auto answer = client.get(target);
  while (!done(answer) && std::chrono::steady_clock::now() < until) {
    // Asking without a pause would run into the client's limit.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    answer = client.get(target);
  }
  return answer;
}

}  // namespace storefront_test

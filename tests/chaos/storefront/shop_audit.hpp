#pragma once

#include <scalekit/db/client.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace storefront_test {

/// An order that the shop has answered with 201.
struct acknowledged_order {
  std::int64_t id = 0;
  std::string payment_job;
  std::string inventory_job;
  std::string email_job;
};

/// A job that the shop has answered with 202: "report" or "backup".
struct acknowledged_job {
  std::string kind;
  std::string id;
};

/// The books of a shop that no process has open. What is wrong comes as a text of
/// one line each: empty when all is well.
class shop_audit {
 public:
  explicit shop_audit(const std::filesystem::path& dir);

  /// Acknowledged orders that are not there, or lack an effect of one of their jobs.
  std::string lost(const std::vector<acknowledged_order>& orders);

  /// Acknowledged jobs whose file is not there, or not booked.
  std::string lost(const std::vector<acknowledged_job>& jobs);

  /// Effects that happened twice, or belong to no order.
  std::string done_twice();

  /// Products whose stock, orders and movements do not add up.
  std::string miscounted();

  std::int64_t orders();

 private:
  std::filesystem::path dir_;
  scalekit::db::client db_;
};

}  // namespace storefront_test

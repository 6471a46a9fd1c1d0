#pragma once

#include "catalogue.hpp"
#include "ledger.hpp"

#include <scalekit/ops/load_request.hpp>
#include <scalekit/ops/zipf.hpp>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace demo {

/// The people who come to the shop: what they ask for, and what they were told.
///
/// Most look at products, few of them often and many seldom; some look through categories, search,
/// order, look after their order, log in; a few retailers look at their dashboard.
class shoppers {
 public:
  /// Clients 0 to customers - 1 behave; client `customers` is the abuser.
  static constexpr std::size_t customers = 255;
  /// The rows of the load report.
  enum kind : std::size_t { customer, abuser };

  /// What is acknowledged is written into `book`. Both references must outlive the shoppers.
  shoppers(const catalogue& shop, ledger& book, std::uint64_t seed);

  /// The share of all requests that the abuser sends, at first 0.
  void set_abuse(double share) { abuse_ = share; }

  /// The ids of the products that are looked at and ordered most, `most` of them.
  std::vector<std::int64_t> favourites(std::size_t most) const;

  /// For load_params.
  void next(scalekit::ops::load_request& request);
  void hear(const scalekit::ops::load_response& response);

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  const catalogue::product& some_product();
  void look_at_product(scalekit::ops::load_request& request);
  void look_at_related(scalekit::ops::load_request& request);
  void look_through_category(scalekit::ops::load_request& request);
  void search(scalekit::ops::load_request& request);
  void order(scalekit::ops::load_request& request);
  void look_after_order(scalekit::ops::load_request& request);
  void log_in(scalekit::ops::load_request& request);
  void look_at_dashboard(scalekit::ops::load_request& request);
  void ask_for_report(scalekit::ops::load_request& request);

  const catalogue& shop_;
  ledger& book_;
  std::mt19937_64 random_;
  scalekit::ops::zipf by_popularity_;
  scalekit::ops::zipf category_;
  // Popular products are not neighbours in the database.
  std::vector<std::uint32_t> product_of_rank_;
  double abuse_ = 0;
};

}  // namespace demo

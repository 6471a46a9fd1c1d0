#include "shoppers.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>
#include <utility>

namespace demo {
namespace {

using scalekit::ops::load_outcome;
using scalekit::ops::load_request;
using scalekit::ops::load_response;

// What a response acknowledges: load_request.tag.
enum tag : std::uint64_t { nothing, an_order, a_report };

constexpr double product_exponent = 0.99;
constexpr std::uint64_t retailers = 200;
// Those who have the habit of looking at their figures.
constexpr std::uint64_t curious_retailers = 20;

/// Letters, digits, '-', '.' and '_' stay; the rest is percent-encoded.
void append_encoded(std::string& to, std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  for (char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '-' || c == '.' || c == '_';
    if (plain) {
      to += c;
    } else {
      auto byte = static_cast<unsigned char>(c);
      to.append({'%', hex[byte >> 4U], hex[byte & 15U]});
    }
  }
}

void post(load_request& request, std::string_view target) {
  request.method = "POST";
  request.target = target;
  request.header("Content-Type", "application/json");
}

}  // namespace

shoppers::shoppers(const catalogue& shop, ledger& book, std::uint64_t seed)
    : shop_(shop),
      book_(book),
      random_(seed),
      by_popularity_(shop.products.size(), product_exponent),
      category_(shop.categories.size(), product_exponent),
      product_of_rank_(shop.products.size()) {
  std::iota(product_of_rank_.begin(), product_of_rank_.end(), 0U);
  std::mt19937_64 fixed(1);  // the same favourites in every run
  for (auto i = product_of_rank_.size(); i > 1; --i) {
    std::swap(product_of_rank_[i - 1], product_of_rank_[fixed() % i]);
  }
}

std::vector<std::int64_t> shoppers::favourites(std::size_t most) const {
  std::vector<std::int64_t> ids;
  for (std::size_t rank = 0; rank < std::min(most, product_of_rank_.size()); ++rank) {
    ids.push_back(shop_.products[product_of_rank_[rank]].id);
  }
  return ids;
}

const catalogue::product& shoppers::some_product() {
  return shop_.products[product_of_rank_[by_popularity_(random_)]];
}

void shoppers::next(load_request& request) {
  if (abuse_ > 0 && static_cast<double>(random_() >> 11U) * 0x1p-53 < abuse_) {
    request.kind = abuser;
    request.client = customers;
    return look_at_product(request);
  }
  request.kind = customer;
  request.client = below(customers);
  struct habit {
    std::uint64_t per_10000;
    void (shoppers::*what)(load_request&);
  };
  constexpr std::array habits = {
      habit{700, &shoppers::look_through_category},
      habit{700, &shoppers::search},
      habit{100, &shoppers::look_after_order},
      habit{100, &shoppers::look_at_related},
      habit{50, &shoppers::order},
      habit{20, &shoppers::look_at_dashboard},
      habit{10, &shoppers::log_in},
      habit{1, &shoppers::ask_for_report},
  };
  auto draw = below(10'000);
  for (const auto& habit : habits) {
    if (draw < habit.per_10000) return (this->*habit.what)(request);
    draw -= habit.per_10000;
  }
  look_at_product(request);
}

void shoppers::hear(const load_response& response) {
  if (response.outcome != load_outcome::ok) return;
  if (response.tag == an_order) book_.add_order(response.body);
  if (response.tag == a_report) book_.add_job("report", response.body);
}

void shoppers::look_at_product(load_request& request) {
  request.target = "/products/";
  request.target += std::to_string(some_product().id);
}

/// The storefront reads these one by one: the N+1 pattern that its tracker is to find.
void shoppers::look_at_related(load_request& request) {
  look_at_product(request);
  request.target += "/related";
}

void shoppers::look_through_category(load_request& request) {
  request.target = "/products?category=";
  append_encoded(request.target, shop_.categories[category_(random_)]);
}

void shoppers::search(load_request& request) {
  request.target = "/search?prefix=";
  append_encoded(request.target, std::string_view(some_product().name).substr(0, 4));
}

void shoppers::order(load_request& request) {
  post(request, "/orders");
  request.tag = an_order;
  request.body = R"({"retailer":)" + std::to_string(1 + below(retailers)) + R"(,"lines":[)";
  for (auto lines = 1 + below(3); lines > 0; --lines) {
    request.body += R"({"product":)" + std::to_string(some_product().id) + R"(,"quantity":)" +
                    std::to_string(1 + below(5)) + (lines > 1 ? "}," : "}");
  }
  request.body += "]}";
}

void shoppers::look_after_order(load_request& request) {
  if (book_.orders().empty()) return look_at_product(request);
  request.target = "/orders/";
  request.target += std::to_string(book_.orders()[below(book_.orders().size())].id);
}

void shoppers::log_in(load_request& request) {
  auto number = std::to_string(1 + *request.client % retailers);
  post(request, "/login");
  request.body = R"({"user":"retailer)" + number + R"(","password":"wholesale-)" + number + R"("})";
}

void shoppers::look_at_dashboard(load_request& request) {
  request.target = "/retailers/" + std::to_string(1 + below(curious_retailers)) + "/dashboard";
}

void shoppers::ask_for_report(load_request& request) {
  post(request, "/admin/jobs");
  request.tag = a_report;
  request.body = R"({"kind":"report"})";
}

}  // namespace demo

#pragma once

#include "http/router.hpp"
#include "shop.hpp"

#include <boost/asio/awaitable.hpp>

#include <atomic>

namespace storefront {

/// Every request comes in here: limit, route, handle, and a problem document for whatever goes
/// wrong. It never throws.
class front_door {
 public:
  /// Beyond `most_under_way` at a time, requests are answered with 503 at once: they would wait
  /// longer than their clients do.
  explicit front_door(shop& owner, int most_under_way = 2000);

  boost::asio::awaitable<response> answer(http_message message, std::string peer);

 private:
  boost::asio::awaitable<response> handle(request& incoming);
  response to_response(std::exception_ptr thrown, const request& incoming) const;

  shop& shop_;
  const int most_under_way_;
  router routes_;
  std::atomic<int> under_way_ = 0;
};

}  // namespace storefront

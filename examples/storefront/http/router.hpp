#pragma once

#include "http/message.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace storefront {

using handler = std::function<boost::asio::awaitable<response>(request&)>;

/// An endpoint. `name` ("GET /products/:id") is what reports call it.
struct route {
  http_verb verb;
  std::string pattern;
  std::string name;
  handler handle;
};

/// Finds the route of a path. Add all routes before the first find(); then it is read-only.
class router {
 public:
  struct match {
    const route* found = nullptr;
    /// Views into the pattern and the path.
    std::vector<std::pair<std::string_view, std::string_view>> captures;
    /// Without a route: the methods that this path does have, as the Allow header wants them.
    std::string allowed;
  };

  /// In `pattern`, a segment ":x" matches any one segment.
  void add(http_verb verb, std::string pattern, handler handle);

  /// HEAD is answered by GET's route.
  match find(http_verb verb, std::string_view path) const;

 private:
  std::vector<route> routes_;
};

}  // namespace storefront

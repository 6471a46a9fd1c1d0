#pragma once

#include "options.hpp"

#include <memory>
#include <string>

namespace demo {

/// A server that the shops keep pages on, ended with this.
class cache_server {
 public:
  virtual ~cache_server() = default;

  /// The storefront's --cache.
  virtual std::string url() const = 0;
  /// Kills it; a second later another one stands in its place, with nothing in it.
  virtual void lose() = 0;
};

/// Null for none. Throws std::runtime_error, also where the demo was built without its kind.
std::unique_ptr<cache_server> make_cache_server(options::cache_kind kind);

}  // namespace demo

#pragma once

#include <string>
#include <vector>

namespace scalekit::http {

/// One header field, ready to be set on a response of any framework.
struct header {
  std::string name;
  std::string value;

  friend bool operator==(const header&, const header&) = default;
};

using headers = std::vector<header>;

}  // namespace scalekit::http

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

// Lists as one bound parameter, read by json_each(): a statement's text does not depend on how
// many there are, so it is prepared once.

namespace scalekit::queue::detail {

/// ["a","b"]. Precondition: no control characters (names are checked).
inline std::string json_strings(std::span<const std::string> items) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out.push_back(',');
    out.push_back('"');
    for (const char c : item) {
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
    out.push_back('"');
  }
  out.push_back(']');
  return out;
}

/// [1,2,3]
class json_numbers {
 public:
  void add(std::int64_t n) { text_.append(text_.size() > 1 ? "," : "").append(std::to_string(n)); }
  bool empty() const noexcept { return text_.size() == 1; }
  std::string take() { return std::move(text_.append("]")); }

 private:
  std::string text_ = "[";
};

/// {"1":2,"3":4}
class json_pairs {
 public:
  void add(std::int64_t key, std::int64_t value) {
    text_.append(text_.size() > 1 ? ",\"" : "\"").append(std::to_string(key));
    text_.append("\":").append(std::to_string(value));
  }
  std::string take() { return std::move(text_.append("}")); }

 private:
  std::string text_ = "{";
};

}  // namespace scalekit::queue::detail

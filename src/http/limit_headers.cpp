#include "scalekit/http/limit_headers.hpp"

#include <algorithm>
#include <chrono>

namespace scalekit::http {
namespace {

std::string whole_seconds(std::chrono::nanoseconds d) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(d).count());
}

std::string policy(const limit::rule& r) {
  std::string text = '"' + r.name + "\";q=" + std::to_string(r.limit);
  auto seconds = std::chrono::floor<std::chrono::seconds>(r.per);
  if (seconds == r.per) text += ";w=" + std::to_string(seconds.count());
  return text;
}

}  // namespace

headers limit_headers(const limit::decision& d) {
  if (d.by == nullptr) return {};
  bool is_denied = d.result == limit::outcome::denied;
  auto limit = std::to_string(d.limit);
  // A burst above the limit would promise more than the quota the policy names.
  auto remaining = std::to_string(std::min(d.remaining, d.limit));
  // A denial waits at least a nanosecond, so this rounds up to 1 or more.
  auto reset = whole_seconds(is_denied ? d.retry_after : d.reset_after);
  headers out{
      {"RateLimit-Policy", policy(*d.by)},
      {"RateLimit", '"' + d.by->name + "\";r=" + remaining + ";t=" + reset},
      {"X-RateLimit-Limit", limit},
      {"X-RateLimit-Remaining", remaining},
      {"X-RateLimit-Reset", reset},
  };
  if (is_denied) out.push_back({"Retry-After", reset});
  return out;
}

int limit_status(const limit::decision& d) noexcept {
  switch (d.result) {
    case limit::outcome::allowed:
      return 200;
    case limit::outcome::denied:
      return 429;
    case limit::outcome::never_fits:
      return 413;
  }
  return 200;
}

}  // namespace scalekit::http

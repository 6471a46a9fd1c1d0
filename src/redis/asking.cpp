#include "redis/asking.hpp"

#include "redis/as_eval.hpp"

#include <string>
#include <string_view>

namespace scalekit::redis::detail {
namespace {

constexpr std::string_view asking = "*1\r\n$6\r\nASKING\r\n";

}  // namespace

void set_asking(request& r, bool asks) {
  if (r.asks == asks) return;
  r.asks = asks;
  if (!asks) {
    r.start += asking.size();
    --r.replies;
    return;
  }
  if (r.script) make_eval(r);
  r.bytes.replace(0, r.start, asking);
  r.start = 0;
  ++r.replies;
}

}  // namespace scalekit::redis::detail

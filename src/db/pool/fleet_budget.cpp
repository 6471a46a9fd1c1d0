#include "db/pool/fleet_budget.hpp"

#include <algorithm>
#include <utility>

namespace scalekit::db::detail {
namespace {
constexpr int times_to_rise = 3;
}

fleet_budget::fleet_budget(std::size_t beside, std::size_t own_min, std::size_t own_max)
    : beside_(beside),
      own_min_(own_min),
      own_max_(own_max),
      limit_{std::min<std::size_t>(own_min, 1), 1, "fleet: not counted yet"} {}

bool fleet_budget::heard(const fleet_facts& facts) {
  auto share = share_of_fleet(facts, beside_, own_min_, own_max_);
  // Who starts alone need not wait for anybody.
  const bool is_first = !std::exchange(counted_, true) && facts.clients <= 1;
  if (share.max > limit_.max && !is_first) {
    if (share.max != std::exchange(rising_to_, share.max)) found_ = 0;
    if (++found_ < times_to_rise) return false;
  }
  return adopt(std::move(share));
}

bool fleet_budget::give_up(const std::string& why) {
  return adopt({own_min_, own_max_, "fleet: no budget, " + why});
}

bool fleet_budget::adopt(fleet_limit next) {
  rising_to_ = 0;
  found_ = 0;
  if (next == limit_) return false;
  limit_ = std::move(next);
  return true;
}

}  // namespace scalekit::db::detail

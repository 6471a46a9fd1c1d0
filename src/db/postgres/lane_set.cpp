#include "db/postgres/lane_set.hpp"

namespace scalekit::db::postgres {

void lane_set::make(const boost::asio::any_io_executor& loop) {
  std::lock_guard lock(mutex_);
  if (made_) return;
  for (std::size_t i = 0; i < count_; ++i) {
    lanes_.push_back(std::make_shared<lane>(pool_, loop, patience_, is_one_of_many_, callers_));
  }
  made_.store(true, std::memory_order_release);
}

void lane_set::wait_until_collected(time_point until) {
  std::vector<std::future<void>> collected;
  {
    std::lock_guard lock(mutex_);
    for (const auto& each : lanes_) {
      if (each->load() > 0) collected.push_back(each->collected());
    }
  }
  for (const auto& each : collected) each.wait_until(until);
}

void lane_set::close() {
  std::lock_guard lock(mutex_);
  for (const auto& each : lanes_) each->close();
}

}  // namespace scalekit::db::postgres

#include "scalekit/adapters/cached.hpp"

#include "scalekit/core/error.hpp"

#include <algorithm>
#include <utility>

namespace scalekit::adapters {

cached::cached(const cache::policy& how, std::initializer_list<std::string_view> tables)
    : cached(how, std::vector<std::string>(tables.begin(), tables.end())) {}

cached::cached(const cache::policy& how, std::vector<std::string> tables)
    : how_(how), tables_(std::move(tables)) {
  // What it gives is current or not from the cache; and a load is for those who wait for it.
  how_.stale_for = how_.stale_while_refreshing = std::chrono::milliseconds(0);
  how_.refresh_ahead = 0;
  if (tables_.empty()) {
    throw error(errc::invalid_argument,
                "adapters::cached names no table: its results would never be forgotten");
  }
  if (std::any_of(tables_.begin(), tables_.end(), [](const auto& name) { return name.empty(); })) {
    throw error(errc::invalid_argument, "adapters::cached has an empty name among its tables");
  }
}

}  // namespace scalekit::adapters

#include "slow/findings.hpp"

#include <algorithm>
#include <bit>

namespace scalekit::slow {

n_plus_one_pattern pattern_of(const scope_count& group) noexcept {
  if (group.bind_bits == 0) return n_plus_one_pattern::unknown;
  // Of 16 different hashes some 14 have a bit of their own among 64, so half is a safe line
  // between "all differ" and "a few values again and again".
  const auto distinct = static_cast<std::uint32_t>(std::popcount(group.bind_bits));
  return 2 * distinct >= std::min(group.calls, 16U) ? n_plus_one_pattern::loop
                                                    : n_plus_one_pattern::repeat;
}

bool findings::note(const detail::statement_entry& statement, const std::source_location& where,
                    std::string_view scope, const scope_count& group, bool reached_now,
                    time_point now) {
  std::lock_guard lock(mutex_);
  auto known = std::find_if(all_.begin(), all_.end(), [&](const finding& f) {
    return f.statement == &statement && f.file_address == where.file_name() &&
           f.report.where.line == where.line();
  });
  const bool is_new = known == all_.end();
  if (is_new) {
    if (all_.size() == max_findings) {
      if (reached_now) ++dropped_;
      return false;
    }
    finding f{&statement, where.file_name(), now, now, {}};
    f.report.fingerprint = statement.fingerprint();
    f.report.text = statement.text();
    f.report.where = {where.file_name(), where.line(), where.function_name()};
    f.report.scope = scope;
    all_.push_back(std::move(f));
    known = all_.end() - 1;
  }
  known->last = now;
  auto& report = known->report;
  report.pattern = pattern_of(group);
  report.most_calls = std::max<std::uint64_t>(report.most_calls, group.calls);
  if (reached_now || is_new) ++report.requests;
  return is_new;
}

std::vector<n_plus_one_report> findings::list(const moment& now) const {
  std::vector<n_plus_one_report> found;
  {
    std::lock_guard lock(mutex_);
    found.reserve(all_.size());
    for (const auto& f : all_) {
      auto& report = found.emplace_back(f.report);
      report.first_seen = now.to_wall(f.first);
      report.last_seen = now.to_wall(f.last);
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.requests != b.requests ? a.requests > b.requests : a.most_calls > b.most_calls;
  });
  return found;
}

std::size_t findings::size() const {
  std::lock_guard lock(mutex_);
  return all_.size();
}

std::uint64_t findings::dropped() const {
  std::lock_guard lock(mutex_);
  return dropped_;
}

void findings::clear() {
  std::lock_guard lock(mutex_);
  all_.clear();
  dropped_ = 0;
}

}  // namespace scalekit::slow

#include "db/sqlite/write_group.hpp"

#include <algorithm>

namespace scalekit::db::sqlite {

bool write_group::admits(std::size_t bytes, time_point deadline, time_point now) const noexcept {
  return writes_ < max_writes && bytes <= max_bytes - bytes_ && now < open_until_ &&
         deadline - now >= 2 * max_statement && commit_by_ - now >= max_statement;
}

void write_group::add(std::size_t bytes, time_point deadline, time_point now) noexcept {
  ++writes_;
  bytes_ += bytes;
  commit_by_ = std::min(commit_by_, now + (deadline - now) / 2);
}

verdict after_statement(const statement_end& end) noexcept {
  using enum statement_end::cause;
  // Even if it only read: it was not given its own time.
  if (end.why == out_of_time && !end.late) return verdict::break_up_slow;
  if (end.transaction_open && !end.keys_open && !end.suspect) return verdict::go_on;
  const bool was_stopped = end.why == out_of_time || end.why == stopped;
  return was_stopped ? verdict::break_up_without : verdict::break_up;
}

}  // namespace scalekit::db::sqlite

#include "redis/master_view.hpp"

namespace scalekit::redis::detail {

bool master_view::announced(const place& where) {
  const auto& known = current_ ? current_ : found_;
  // All sentinels announce the same, one after the other.
  if (!known || where == *known || where == announced_) return false;
  announced_ = where;
  undoubted_since_ = ++term_;
  return true;
}

bool master_view::suspected(std::uint64_t term) {
  if (term != term_) return false;
  undoubted_since_ = ++term_;
  return true;
}

std::optional<master_view::confirmation> master_view::confirmed(const place& where,
                                                                std::uint64_t term) {
  if (term != term_ && (where != current_ || term < undoubted_since_)) return std::nullopt;
  announced_.reset();
  const bool is_failover = current_ && *current_ != where;
  if (is_failover) {
    ++failovers_;
    // What was announced has ended the old one's connections; otherwise they still are there.
    ++term_;
  }
  current_ = where;
  return confirmation{term_, is_failover};
}

}  // namespace scalekit::redis::detail

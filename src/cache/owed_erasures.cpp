#include "cache/owed_erasures.hpp"

#include <algorithm>
#include <iterator>

namespace scalekit::cache::detail {
namespace {

/// Paid at a time, beside the keys that are asked for.
constexpr std::size_t most_others = 64;

}  // namespace

void owed_erasures::add(std::string_view key) {
  const std::lock_guard lock(mutex_);
  ++last_;
  if (everything_) {
    everything_since_ = last_;
    return;
  }
  if (const auto known = keys_.find(key); known != keys_.end()) {
    known->second = last_;
    return;
  }
  if (keys_.size() >= most_keys_ || bytes_ + key.size() > most_bytes_) {
    keys_.clear();
    bytes_ = 0;
    everything_ = true;
    everything_since_ = last_;
  } else {
    keys_.emplace(key, last_);
    bytes_ += key.size();
  }
  note_size();
}

void owed_erasures::add_everything() {
  const std::lock_guard lock(mutex_);
  keys_.clear();
  bytes_ = 0;
  everything_ = true;
  everything_since_ = ++last_;
  note_size();
}

std::optional<owed_erasures::payment> owed_erasures::due(std::span<const std::string> keys) const {
  if (empty()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (everything_) return payment{true, {}, last_};
  if (keys_.empty()) return std::nullopt;
  payment what{false, {}, last_};
  for (const auto& key : keys) {
    if (keys_.contains(key)) what.keys.push_back(key);
  }
  const auto asked = what.keys.size();
  for (const auto& [key, number] : keys_) {
    if (what.keys.size() - asked == most_others) break;
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) what.keys.push_back(key);
  }
  return what;
}

owed_erasures::payment owed_erasures::all() const {
  const std::lock_guard lock(mutex_);
  return {true, {}, last_};
}

void owed_erasures::paid(const payment& what) {
  const std::lock_guard lock(mutex_);
  if (what.everything) {
    if (everything_since_ <= what.until) everything_ = false;
    for (auto each = keys_.begin(); each != keys_.end();) each = forget(each, what.until);
  } else {
    for (const auto& key : what.keys) {
      if (const auto known = keys_.find(key); known != keys_.end()) forget(known, what.until);
    }
  }
  note_size();
}

std::vector<std::string> owed_erasures::keys() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [key, number] : keys_) all.push_back(key);
  return all;
}

/// Unless it is owed anew. Returns what comes after it.
owed_erasures::debts::iterator owed_erasures::forget(debts::iterator debt, std::uint64_t until) {
  if (debt->second > until) return std::next(debt);
  bytes_ -= debt->first.size();
  return keys_.erase(debt);
}

void owed_erasures::note_size() {
  size_ = keys_.size();
}

}  // namespace scalekit::cache::detail

#include "cache/flight.hpp"

#include <utility>

namespace scalekit::cache::detail {

bool flight::join() {
  std::lock_guard lock(mutex_);
  if (members_ == 0 && !over_) return false;
  ++members_;
  return true;
}

void flight::leave() noexcept {
  bool last = false;
  {
    std::lock_guard lock(mutex_);
    last = --members_ == 0 && !over_;
  }
  if (last) stop_.request_stop();
}

const load_outcome* flight::wait(const deadline& until) {
  std::unique_lock lock(mutex_);
  if (!ended_.wait_until(lock, until.when(), [&] { return over_; })) return nullptr;
  return &outcome_;  // never changes once it is over
}

void flight::on_end(callback then) {
  {
    std::lock_guard lock(mutex_);
    if (!over_) {
      callbacks_.push_back(std::move(then));
      return;
    }
  }
  then(outcome_);
}

bool flight::end(load_outcome outcome) {
  std::vector<callback> callbacks;
  {
    std::lock_guard lock(mutex_);
    if (over_) return false;
    over_ = true;
    outcome_ = std::move(outcome);
    callbacks.swap(callbacks_);
  }
  ended_.notify_all();
  for (auto& each : callbacks) each(outcome_);
  return true;
}

bool flight::is_over() const {
  std::lock_guard lock(mutex_);
  return over_;
}

std::shared_ptr<flight> flight_table::join(std::string_view key, std::uint64_t hash,
                                           const fill_token& token) {
  auto& part = part_of(hash);
  std::lock_guard lock(part.mutex);
  auto found = part.loads.find(key);
  if (found == part.loads.end() || !is_open(found->second, token)) return nullptr;
  return found->second->join() ? found->second : nullptr;
}

flight_table::seat flight_table::join_or_begin(std::string_view key, std::uint64_t hash,
                                               const fill_token& token,
                                               const std::optional<deadline>& limit) {
  auto& part = part_of(hash);
  std::lock_guard lock(part.mutex);
  auto& load = part.loads[std::string(key)];
  if (is_open(load, token) && load->join()) return {load, false};
  load = std::make_shared<flight>(token, limit);
  return {load, true};
}

std::shared_ptr<flight> flight_table::begin(std::string_view key, std::uint64_t hash,
                                            const fill_token& token,
                                            const std::optional<deadline>& limit) {
  auto& part = part_of(hash);
  std::lock_guard lock(part.mutex);
  auto& load = part.loads[std::string(key)];
  if (is_open(load, token)) return nullptr;
  return load = std::make_shared<flight>(token, limit);
}

bool flight_table::is_loading(std::string_view key, std::uint64_t hash, const fill_token& token) {
  auto& part = part_of(hash);
  std::lock_guard lock(part.mutex);
  const auto found = part.loads.find(key);
  return found != part.loads.end() && is_open(found->second, token);
}

void flight_table::remove(std::string_view key, std::uint64_t hash,
                          const std::shared_ptr<flight>& load) noexcept {
  auto& part = part_of(hash);
  std::lock_guard lock(part.mutex);
  auto found = part.loads.find(key);
  if (found != part.loads.end() && found->second == load) part.loads.erase(found);
}

std::vector<std::shared_ptr<flight>> flight_table::drain() {
  std::vector<std::shared_ptr<flight>> all;
  for (auto& part : parts_) {
    std::lock_guard lock(part.mutex);
    for (auto& [key, load] : part.loads) all.push_back(load);
    part.loads.clear();
  }
  return all;
}

namespace {
thread_local const loading_mark* innermost = nullptr;
}

loading_mark::loading_mark(const void* store, std::string_view key) noexcept
    : store_(store), key_(key), outer_(std::exchange(innermost, this)) {}

loading_mark::~loading_mark() {
  innermost = outer_;
}

bool loading_mark::is_loading(const void* store, std::string_view key) noexcept {
  for (auto* each = innermost; each; each = each->outer_) {
    if (each->store_ == store && each->key_ == key) return true;
  }
  return false;
}

}  // namespace scalekit::cache::detail

#pragma once

#include "db/pool/pool_waiter.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace scalekit::db::test {

using namespace scalekit::db::detail;

/// Where each connection of a pool is, as one who only sees the pool's actions knows it.
class connection_model {
 public:
  /// The first promise that was broken; empty while all are kept.
  const std::string& fault() const { return fault_; }

 protected:
  enum class state { dialing, idle, lent, checking, resetting, closing };

  struct connection {
    connection_model::state state = connection_model::state::dialing;
    std::uint64_t generation = 0;
    bool is_successor = false;
    time_point born = {};
    time_point used = {};
    bool may_serve = true;
  };

  void require(bool holds, const char* promise) {
    if (!holds && fault_.empty()) fault_ = promise;
  }
  std::size_t in(state s) const {
    return static_cast<std::size_t>(std::count_if(
        slots_.begin(), slots_.end(), [&](const auto& entry) { return entry.second.state == s; }));
  }
  std::size_t living() const { return slots_.size() - in(state::closing); }
  void move(slot_id id, state from, state to) {
    auto at = slots_.find(id);
    require(at != slots_.end() && at->second.state == from, "a connection is in one place only");
    if (at != slots_.end()) at->second.state = to;
  }
  void forget(slot_id id, state from) {
    move(id, from, from);
    slots_.erase(id);
  }
  time_point last_use() const {
    time_point last;
    for (const auto& [id, s] : slots_) {
      if (s.state == state::idle) last = std::max(last, s.used);
    }
    return last;
  }

  /// May be due for replacement.
  bool is_ripe(const connection& c, time_point now) const {
    return ripe_after_.count() > 0 && c.state != state::dialing && now - c.born >= ripe_after_;
  }

  std::map<slot_id, connection> slots_;
  std::chrono::nanoseconds ripe_after_{};
  std::string fault_;
};

}  // namespace scalekit::db::test

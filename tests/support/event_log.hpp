#pragma once

#include "scalekit/core/log.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

/// The events that a component has reported, from any thread. Must outlive it.
class event_log {
 public:
  struct event {
    std::string name, message;
    std::map<std::string, std::string> fields;
  };

  scalekit::log_sink sink() {
    return scalekit::log_sink([this](const scalekit::log_record& r) {
      event heard{std::string(r.event), std::string(r.message), {}};
      for (const auto& [name, value] : r.fields) heard.fields.emplace(name, value);
      const std::lock_guard lock(mutex_);
      events_.push_back(std::move(heard));
    });
  }

  bool has(std::string_view name) const { return count(name) > 0; }
  /// Of those whose message has `part` in it.
  std::ptrdiff_t count(std::string_view name, std::string_view part = {}) const {
    const std::lock_guard lock(mutex_);
    return std::ranges::count_if(events_, [&](const event& e) {
      return e.name == name && e.message.find(part) != std::string::npos;
    });
  }
  /// The first of that name.
  std::optional<event> find(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::ranges::find_if(events_, [name](const event& e) { return e.name == name; });
    return found == events_.end() ? std::nullopt : std::optional(*found);
  }
  /// The message of the last event of that name; "" where there was none.
  std::string last(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(events_.rbegin(), events_.rend(),
                                    [name](const event& e) { return e.name == name; });
    return found == events_.rend() ? std::string() : found->message;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<event> events_;
};

}  // namespace support

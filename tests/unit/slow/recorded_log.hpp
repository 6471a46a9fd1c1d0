#pragma once

#include "scalekit/core/log.hpp"

#include <map>
#include <mutex>
#include <string>
#include <vector>

/// A log sink that keeps what it is given.
class recorded_log {
 public:
  struct record {
    scalekit::log_level level;
    std::string event;
    std::string message;
    std::map<std::string, std::string> fields;
  };

  scalekit::log_sink sink() {
    return scalekit::log_sink([this](const scalekit::log_record& r) {
      record kept{r.level, std::string(r.event), std::string(r.message), {}};
      for (const auto& [name, value] : r.fields) kept.fields.emplace(name, value);
      std::lock_guard lock(mutex_);
      all_.push_back(std::move(kept));
    });
  }

  std::vector<record> all() const {
    std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<record> all_;
};

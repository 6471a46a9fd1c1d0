#pragma once

#include "cache/shared_driver.hpp"
#include "cache/shared_frame.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/deadline.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cache_test {

namespace detail = scalekit::cache::detail;

/// A server in memory, which fails when told to.
struct fake_server {
  std::map<std::string, std::string> entries;
  std::string epoch = "epoch001";
  std::uint64_t tokens = 0;
  std::vector<detail::shared_verb> asked;
  /// Calls fail with it, without effect.
  std::optional<scalekit::errc> failure;
  /// What is asynchronous and not yet answered.
  std::vector<std::function<void()>> held;
  /// Told of each key that changes; nothing: the epoch has.
  std::vector<std::function<void(const std::optional<std::string>& key)>> listeners;

  void put(const std::string& key, std::string bytes) {
    entries[key] = std::move(bytes);
    tell(key);
  }
  void erase(const std::string& key) {
    if (entries.erase(key) > 0) tell(key);
  }
  void new_epoch() {
    epoch.back()++;
    tell({});
  }

 private:
  void tell(const std::optional<std::string>& key) const {
    for (const auto& each : listeners) each(key);
  }
};

inline scalekit::deadline soon() {
  return scalekit::deadline::after(std::chrono::seconds(5));
}

/// Made now, and fresh for so long.
inline detail::file_entry entry_of(const scalekit::clock& clock, std::string_view key,
                                   std::string_view value, std::chrono::microseconds ttl) {
  detail::file_entry e;
  e.type = "t";
  e.key = key;
  e.value = value;
  e.created_us = scalekit::to_micros(clock.wall_now());
  e.expires_us = e.fresh_until_us = e.created_us + ttl.count();
  return e;
}

class fake_driver final : public detail::shared_driver {
 public:
  explicit fake_driver(fake_server& server) : server_(server) {}

  bool is_asynchronous() const noexcept override { return true; }
  const std::string& name() const noexcept override { return name_; }

  detail::shared_answer run(const detail::shared_request& what,
                            const scalekit::deadline&) override {
    server_.asked.push_back(what.verb);
    if (server_.failure) throw scalekit::error(*server_.failure, "the fake fails");
    return answer(what);
  }

  void start(const detail::shared_request& what, const scalekit::deadline& until, std::stop_token,
             callback then) override {
    auto task = [this, what, until, then = std::move(then)] {
      detail::shared_result result;
      try {
        result.answer = run(what, until);
      } catch (const scalekit::error& e) {
        result.failure = e;
      }
      then(std::move(result));
    };
    server_.held.push_back(std::move(task));
  }

 private:
  detail::shared_answer answer(const detail::shared_request& what) {
    using enum detail::shared_verb;
    detail::shared_answer answer;
    switch (what.verb) {
      case find:
        for (const auto& key : what.keys) answer.found.push_back(alive(key));
        break;
      case claim: {
        auto there = alive(what.keys[0]);
        if (!there) {
          auto token = std::to_string(++server_.tokens);
          token.resize(detail::token_bytes, 't');
          there = detail::make_placeholder(server_.epoch, token);
          server_.put(what.keys[0], *there);
        }
        answer.found.push_back(std::move(there));
        break;
      }
      case fill: {
        const auto& item = what.items[0];
        const bool stands = detail::is_same(alive(item.key).value_or(""), what.expected);
        if (stands) server_.put(item.key, detail::make_value(server_.epoch, item.bytes));
        answer.stored.push_back(stands);
        break;
      }
      case put:
        for (const auto& item : what.items) {
          server_.put(item.key, detail::make_value(server_.epoch, item.bytes));
          answer.stored.push_back(true);
        }
        break;
      case erase:
        for (const auto& key : what.keys) server_.erase(key);
        break;
      case clear:
        server_.new_epoch();
        break;
    }
    return answer;
  }

  std::optional<std::string> alive(const std::string& key) const {
    const auto there = server_.entries.find(key);
    if (there == server_.entries.end() || !detail::is_alive(there->second, server_.epoch)) {
      return std::nullopt;
    }
    return there->second;
  }

  fake_server& server_;
  const std::string name_ = "fake";
};

}  // namespace cache_test

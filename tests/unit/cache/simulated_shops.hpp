#pragma once

#include "cache/copying_port.hpp"
#include "cache/fallback_files.hpp"
#include "cache/tiers.hpp"
#include "fake_driver.hpp"
#include "scalekit/core/random.hpp"
#include "scalekit/testing/manual_clock.hpp"
#include "support/sanitizer.hpp"
#include "support/temp_directory.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cache_test {

using namespace std::chrono_literals;

/// What can happen next, in an order that the seed chooses.
class happenings {
 public:
  explicit happenings(std::uint64_t seed) : random(seed) {}

  void add(std::function<void()> what) { next_.push_back(std::move(what)); }
  bool empty() const noexcept { return next_.empty(); }
  void happen() {
    std::swap(next_[random() % next_.size()], next_.back());
    const auto what = std::move(next_.back());
    next_.pop_back();
    what();
  }
  /// A few things, from inside of another.
  void happen_beside() {
    // One thread plays many: ThreadSanitizer takes the locks that it holds for them for its own.
    if (support::under_thread_sanitizer || depth_ == 3) return;
    ++depth_;
    for (auto n = random() % 4; n > 0 && !empty(); --n) happen();
    --depth_;
  }
  bool one_in(std::uint64_t n) { return random() % n == 0; }

  scalekit::random_generator random;

 private:
  std::vector<std::function<void()>> next_;
  int depth_ = 0;
};

/// A driver whose requests come to the server, and their answers back, in any order. Some are lost
/// on the way, some when the server has done them: the client hears of both as it would, at once or
/// while the request is still on its way. (But for a put: that may come after a newer one then, as
/// documented.)
class wandering_driver final : public detail::shared_driver {
 public:
  wandering_driver(fake_server& server, happenings& world, bool loses_requests)
      : inner_(server), world_(world), loses_requests_(loses_requests) {}

  bool is_asynchronous() const noexcept override { return true; }
  const std::string& name() const noexcept override { return inner_.name(); }
  detail::shared_answer run(const detail::shared_request& what,
                            const scalekit::deadline& until) override {
    // While the caller's thread waits, others go on.
    world_.happen_beside();
    auto answer = inner_.run(what, until);
    world_.happen_beside();
    if (is_lost()) throw *failed(scalekit::errc::commit_in_doubt).failure;
    return answer;
  }
  void start(const detail::shared_request& what, const scalekit::deadline& until, std::stop_token,
             callback then) override {
    using scalekit::errc;
    if (is_lost()) return answer(failed(errc::shed), std::move(then));
    if (what.verb != detail::shared_verb::put && is_lost()) {
      world_.add([this, what, until] { inner_.run(what, until); });
      return answer(failed(errc::commit_in_doubt), std::move(then));
    }
    world_.add([this, what, until, then = std::move(then)] {
      detail::shared_result result;
      result.answer = inner_.run(what, until);
      if (is_lost()) result = failed(errc::commit_in_doubt);
      answer(std::move(result), then);
    });
  }

 private:
  // Neither lets the breaker open, which goes by the machine's time: a call in doubt is one that
  // had less time than the tier allows.
  static detail::shared_result failed(scalekit::errc why) {
    return {{}, scalekit::error(why, "lost on the way")};
  }
  void answer(detail::shared_result result, callback then) {
    world_.add([result = std::move(result), then = std::move(then)] { then(result); });
  }

  bool is_lost() { return loses_requests_ && world_.one_in(12); }

  fake_driver inner_;
  happenings& world_;
  const bool loses_requests_;
};

/// Messages of what changes on the server, which come late, but in their order, until the
/// connection is lost with those that are under way.
class wandering_ear final : public detail::change_ear {
 public:
  wandering_ear(fake_server& server, happenings& world, listener to)
      : world_(world), to_(std::move(to)) {
    server.listeners.push_back([this](const std::optional<std::string>& key) {
      if (!is_listening_) return;
      coming_.push_back(key);
      world_.add([this, in = connection_] { hear_one(in); });
    });
    to_.on_anything();
  }

  void close() noexcept override {}
  bool is_listening() const noexcept override { return is_listening_; }
  /// Whether it has been told of all that has happened.
  bool knows_all() const noexcept { return is_listening_ && coming_.empty(); }

  void catch_up() {
    while (!coming_.empty()) hear_one(connection_);
  }
  void lose() {
    if (!std::exchange(is_listening_, false)) return;
    ++connection_;
    coming_.clear();
    world_.add([this] {
      is_listening_ = true;
      to_.on_anything();
    });
  }

 private:
  void hear_one(int in) {
    if (in != connection_ || coming_.empty()) return;
    const auto key = std::move(coming_.front());
    coming_.pop_front();
    if (key) {
      to_.on_change(*key);
    } else {
      to_.on_anything();
    }
  }

  happenings& world_;
  const listener to_;
  std::deque<std::optional<std::string>> coming_;
  int connection_ = 0;
  bool is_listening_ = true;
};

struct simulation {
  /// Each process has one, and somebody who sends it there and back.
  bool has_fallbacks = false;
  /// Each process hears of what changes on the server, and keeps in memory what it may.
  bool hears_changes = false;
  bool loses_requests = true;
};

/// Processes with a cache each, on one server, over one database, in which a value is the number of
/// its change. Each lookup is held against what its process may still see.
class simulated_shops {
 public:
  static constexpr std::size_t keys = 3;
  static constexpr auto ttl = 10s, memory_ttl = 2s;
  static constexpr scalekit::cache::policy how{
      .type = "t", .ttl = ttl, .memory_ttl = memory_ttl, .jitter = 0};

  static constexpr auto fallback_ttl = 3s, longest_load = 4s;

  simulated_shops(std::uint64_t seed, std::size_t processes, simulation kind = {})
      : world_(seed), kind_(kind), how_(how) {
    if (kind_.hears_changes) how_.memory_ttl = 0s;
    scalekit::cache::store_params params;
    params.execution = scalekit::execution(work_.get_executor(), work_.get_executor());
    params.fallback.ttl = fallback_ttl;
    params.fallback.return_over = 5s;
    params.memory.max_bytes = 64 << 10;
    params.shared_timeout = 60s;
    params.clock = &clock_;
    params.seed = seed + 1;
    for (std::size_t i = 0; i < processes; ++i) {
      shops_.push_back(std::make_unique<shop>());
      std::unique_ptr<detail::fallback_store> fallback;
      if (kind_.has_fallbacks) {
        params.fallback.directory = directory_.path() / std::to_string(i);
        fallback = std::make_unique<detail::fallback_files>(params);
      }
      auto driver = std::make_unique<wandering_driver>(server_, world_, kind_.loses_requests);
      const auto make_ear = [&](detail::change_ear::listener to) {
        auto ear = std::make_unique<wandering_ear>(server_, world_, std::move(to));
        shops_.back()->ear = ear.get();
        return ear;
      };
      shops_.back()->cache = std::make_unique<detail::tiers>(
          params,
          std::make_unique<detail::shared_tier>(std::move(driver), params, std::move(fallback)),
          kind_.hears_changes ? detail::tiers::ear_maker(make_ear) : nullptr);
    }
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      if (world_.one_in(3) || world_.empty()) begin_something();
      if (!world_.empty()) world_.happen();
      if (world_.one_in(2)) work();
    }
    while (!world_.empty() || work()) {
      if (!world_.empty()) world_.happen();
    }
  }

  std::uint64_t found_in_fallbacks() {
    scalekit::cache::statistics sum;
    std::uint64_t found = 0;
    for (auto& each : shops_) {
      sum = {};
      each->cache->add_to(sum);
      found += sum.shared.fallback_hits;
    }
    return found;
  }

  std::uint64_t lookups = 0, hits = 0, loads = 0, changes = 0, failed_changes = 0;
  /// In the memory of one who knew all.
  std::uint64_t informed_hits = 0;

 private:
  /// Changes of a key that have returned: who asks later than that must not see what was before.
  struct returned {
    scalekit::time_point at;
    std::uint64_t version;
  };
  struct shop {
    std::unique_ptr<detail::tiers> cache;
    wandering_ear* ear = nullptr;
    /// That this process made, whether they failed or not.
    std::array<std::uint64_t, keys> own{};
  };

  /// A task of the work executor, if there is one.
  bool work() {
    work_.restart();
    return work_.poll_one() > 0;
  }

  /// Sends a shop to its fallback, or back, at once or bit by bit.
  void force(shop& which) {
    using enum scalekit::cache::shared_mode;
    constexpr std::array modes{automatic, fallback, server, fallback};
    which.cache->force_shared(modes[world_.random() % modes.size()]);
  }

  void begin_something() {
    auto& by = *shops_[world_.random() % shops_.size()];
    const auto k = world_.random() % keys;
    if (world_.one_in(200)) return restart_server();
    if (world_.one_in(40)) return evict(k);
    if (kind_.has_fallbacks && world_.one_in(40)) return force(by);
    if (by.ear && world_.one_in(80)) return by.ear->lose();
    if (world_.one_in(10)) return clock_.advance(1ms * (world_.random() % 3000));
    if (world_.one_in(40)) return clear(by);
    // Who hears of each has little in memory where there are many.
    if (world_.one_in(by.ear ? 12 : 4)) return change(by, k);
    look_up(by, k);
  }

  void restart_server() {
    for (const auto& each : shops_) {
      if (each->ear) each->ear->lose();
    }
    server_.entries.clear();
    server_.new_epoch();
  }
  void evict(std::size_t k) { server_.erase(name(k)); }

  static std::string name(std::size_t k) { return "key " + std::to_string(k); }
  static scalekit::deadline until() { return scalekit::deadline::after(30s); }

  /// The least version that a lookup which begins now may give.
  std::uint64_t least(const shop& by, std::size_t k, bool on_server) const {
    auto version = by.own[k];
    const auto see = [&](const std::vector<returned>& told, std::chrono::nanoseconds after) {
      for (const auto& each : told) {
        if (each.at + after <= clock_.now()) version = std::max(version, each.version);
      }
    };
    const auto in_memory = on_server ? 0s : longest_in_memory(by);
    // What was loaded before a change may be stored after it where that was not told.
    const auto aside = kind_.has_fallbacks ? longest_load + fallback_ttl : 0s;
    const auto on_its_own = kind_.has_fallbacks ? longest_load + ttl : ttl;
    see(told_[k], aside + in_memory);
    see(untold_[k], on_its_own + in_memory);
    return version;
  }

  std::chrono::nanoseconds longest_in_memory(const shop& by) const {
    if (!by.ear) return memory_ttl;
    // Of what the server did not take nothing is heard.
    return by.ear->knows_all() && !kind_.loses_requests ? 0s : ttl;
  }

  void check(const std::string& where, std::size_t k, const std::string& found,
             std::uint64_t least) {
    ++hits;
    const auto version = std::stoull(found);
    if (version >= least) return;
    FAIL_CHECK(where << " has version " << version << " of " << name(k) << ", at least " << least
                     << " was to be seen; in the database " << database_[k]);
  }

  void look_up(shop& by, std::size_t k) {
    ++lookups;
    // Mostly messages are quick.
    if (by.ear && !world_.one_in(4)) by.ear->catch_up();
    detail::copying_port port;
    const auto text = name(k);
    if (by.cache->find_in_memory(by.cache->hashed(text), port)) {
      informed_hits += by.ear && by.ear->knows_all();
      return check("memory", k, port.bytes, least(by, k, false));
    }
    struct load {
      std::shared_ptr<detail::copying_port> port = std::make_shared<detail::copying_port>();
      detail::shared_claim claim;
    };
    auto one = std::make_shared<load>();
    const auto token = by.cache->token_of(by.cache->place_of(by.cache->hashed(text)));
    const auto looked = [this, &by, k, one, token,
                         least = least(by, k, true)](std::optional<detail::raw_lookup> found) {
      if (found) return check("the server", k, one->port->bytes, least);
      world_.add([this, &by, k, one, token] { load_from_database(by, k, one->claim, token); });
    };
    if (!by.cache->is_asynchronous()) {
      return looked(
          by.cache->find_or_claim(by.cache->hashed(text), *one->port, one->claim, until()));
    }
    by.cache->start_find_or_claim(text, one->port, one->claim, until(), looked);
  }

  void load_from_database(shop& by, std::size_t k, const detail::shared_claim& claim,
                          const detail::fill_token& token) {
    ++loads;
    auto value = std::make_shared<const std::string>(std::to_string(database_[k]));
    world_.add([this, &by, k, claim, token, value, begun = clock_.now()] {
      // Beyond a policy's load_timeout.
      if (clock_.now() - begun > longest_load) return;
      if (!by.cache->is_asynchronous()) {
        const auto text = name(k);
        by.cache->fill(by.cache->hashed(text), value.get(), how_, token, claim, until());
        return;
      }
      by.cache->start_fill(name(k), value, how_, token, claim, until(), [] {});
    });
  }

  /// One at a time for a key: whose set is the last, the database decides, not the cache.
  void change(shop& by, std::size_t k) {
    if (std::exchange(changing_[k], true)) return;
    ++changes;
    const auto version = ++database_[k];
    const auto done = [this, &by, k, version](std::optional<scalekit::error> failure) {
      by.own[k] = std::max(by.own[k], version);
      failed_changes += failure.has_value();
      (failure ? untold_ : told_)[k].push_back({clock_.now(), version});
      changing_[k] = false;
    };
    world_.add([this, &by, k, version, done] {
      const auto text = name(k);
      const bool blocks = !by.cache->is_asynchronous();
      if (world_.one_in(2)) {
        if (!blocks) return by.cache->start_erase(text, until(), {}, done);
        return done(failure_of([&] { by.cache->erase(by.cache->hashed(text), until()); }));
      }
      // A set that the server did not get says nothing: it counts as not told.
      std::optional<scalekit::error> perhaps;
      if (kind_.loses_requests) perhaps.emplace(scalekit::errc::shed, "perhaps");
      if (blocks) {
        by.cache->put_many({{text, std::to_string(version)}}, how_, until());
        return done(perhaps);
      }
      by.cache->start_put_many({{text, std::to_string(version)}}, how_, until(), {},
                               [done, perhaps](std::optional<scalekit::error> failure) {
                                 done(failure ? failure : perhaps);
                               });
    });
  }

  template <class Call>
  static std::optional<scalekit::error> failure_of(Call call) {
    try {
      call();
    } catch (const scalekit::error& e) {
      return e;
    }
    return std::nullopt;
  }

  void clear(shop& by) {
    const auto before = database_;
    const auto told = [this, &by, before](std::optional<scalekit::error> failure) {
      for (std::size_t k = 0; k < keys; ++k) {
        by.own[k] = std::max(by.own[k], before[k]);
        (failure ? untold_ : told_)[k].push_back({clock_.now(), before[k]});
      }
    };
    if (by.cache->is_asynchronous()) return by.cache->start_clear(until(), {}, told);
    told(failure_of([&] { by.cache->clear(until()); }));
  }

  happenings world_;
  const simulation kind_;
  scalekit::cache::policy how_;
  support::temp_directory directory_;
  boost::asio::io_context work_;
  scalekit::testing::manual_clock clock_;
  fake_server server_;
  std::array<std::uint64_t, keys> database_{};
  std::array<bool, keys> changing_{};
  std::array<std::vector<returned>, keys> told_, untold_;
  std::vector<std::unique_ptr<shop>> shops_;
};

}  // namespace cache_test

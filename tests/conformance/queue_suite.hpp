#pragma once

// What every engine of the queue promises. Include it once, in a file that defines
//
//   #define SCALEKIT_QUEUE_BACKENDS my_backend, ...
//
// where a backend is default-constructible (a new, empty, migrated store each) and has
//   queue::detail::engine& engine();     the store
//   queue::detail::engine& other();      the same store, as another process sees it
//   db::client& db();                    the database it is in
//
// Time is an argument of the engine's calls, so nothing here waits.

#include "queue/disposition.hpp"
#include "queue/engine.hpp"
#include "scalekit/db/client.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace scalekit::queue::suite {

using namespace std::chrono_literals;
using detail::claimed_job;
using detail::job_history;
using detail::new_job;
using detail::settlement;
using detail::worker_identity;
using fate = settlement::fate;

inline const wall_time start = from_micros(1'750'000'000'000'000);

/// All kinds of jobs in the suite.
inline const std::vector<std::string> kinds{"work", "a",    "b",      "c",         "mail",
                                            "bulk", "late", "prompt", "send_email"};

/// An engine, and what a worker does with it in one line each.
template <class Backend>
struct bench {
  Backend backend;
  detail::engine& engine = backend.engine();
  worker_identity worker = engine.enlist(1111, 10s, start);
  wall_time now = start;

  static new_job job(std::string_view kind = "work", std::int64_t key = 0) {
    return {.queue = "default",
            .kind = kind,
            .payload = "payload",
            .key = key,
            .max_attempts = 3,
            .enqueued_at = start};
  }

  job_id add(const new_job& j) { return engine.enqueue(nullptr, {&j, 1}).front(); }
  job_id add() { return add(job()); }

  std::vector<claimed_job> claim(std::size_t most, const worker_identity& who,
                                 const std::string& queue = "default") {
    return engine
        .turn({.who = who, .claim = most, .queues = {&queue, 1}, .kinds = kinds, .now = now})
        .claimed;
  }
  std::vector<claimed_job> claim(std::size_t most = 1) { return claim(most, worker); }

  bool settle(const settlement& s) {
    return engine.turn({.settle = {&s, 1}, .now = now}).settled.front();
  }

  /// The worker is found dead, and what it held is ready again.
  void take_away_from(const worker_identity& who) {
    for (const auto& w : engine.workers()) {
      if (w.id == who.id) REQUIRE(engine.evict(w));
    }
    for (const auto& o : engine.orphans(1000)) REQUIRE(settle(detail::after_crash(o, 100, now)));
  }

  job_state state(job_id id) { return engine.status(id).value().state; }
};

inline std::string text_of(const bytes& b) {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

inline settlement done(const lease& l) {
  return {.held = l};
}

/// One settlement of every kind.
inline std::vector<settlement> every_fate(const lease& l) {
  return {{.held = l, .to = fate::remove},
          {.held = l, .to = fate::ready, .past = {.interruptions = 1}},
          {.held = l, .to = fate::ready, .recorded = false},
          {.held = l, .to = fate::later, .at = start + 1h, .past = {.errors = 1}},
          {.held = l, .to = fate::dead, .at = start, .past = {.errors = 3}}};
}

}  // namespace scalekit::queue::suite

// Each part is a chapter of the contract.
#include "conformance/queue_suite_claim.hpp"
#include "conformance/queue_suite_enqueue.hpp"
#include "conformance/queue_suite_fence.hpp"
#include "conformance/queue_suite_workers.hpp"

#include "scalekit/slow.hpp"

#include "harness.hpp"

#include <chrono>
#include <cstdint>
#include <source_location>
#include <string>
#include <vector>

using namespace scalekit;

namespace {

using clock_type = std::chrono::steady_clock;

/// As many statements as a service has, so that their counts do not all lie in the nearest cache.
std::vector<std::string> statements() {
  std::vector<std::string> all;
  for (int i = 0; i < 64; ++i) {
    all.push_back("select id, name, price, stock from product_" + std::to_string(i) +
                  " where category = ?1 and name > ?2 order by name limit ?3");
  }
  return all;
}

/// What a database client does for each call: looks the text up, reads the clock three times
/// (before, when it may start, at the end), and records.
void track(slow::tracker& tracker, const std::vector<std::string>& texts, std::uint64_t n,
           std::uint64_t calls_per_scope) {
  request_scope scope;
  for (std::uint64_t i = 0; i < n; ++i) {
    if (calls_per_scope != 0 && i % calls_per_scope == 0) scope = request_scope::begin("GET /");
    const auto begun = clock_type::now();
    const auto s = tracker.statement(texts[i % texts.size()], slow::dialect::sqlite);
    const auto started = clock_type::now();
    const auto finished = clock_type::now();
    tracker.record(s,
                   {.wait = started - begun, .execute = finished - started, .finished = finished},
                   1, slow::outcome::ok, std::source_location::current(), scope, i);
  }
}

double known(std::uint64_t calls_per_scope) {
  static const auto texts = statements();
  slow::tracker tracker;
  track(tracker, texts, 2 * texts.size(), 0);
  return bench::rate([&](std::uint64_t n) { track(tracker, texts, n, calls_per_scope); });
}

double normalized() {
  static const auto texts = statements();
  return bench::rate([](std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) {
      bench::keep(slow::normalize(texts[i % texts.size()], slow::dialect::sqlite));
    }
  });
}

}  // namespace

void bench::register_cases() {
  add({.name = "slow.track.known",
       .unit = "ops/s",
       .ours = [] { return known(0); },
       .least_value = 4e6});
  add({.name = "slow.track.scoped", .unit = "ops/s", .ours = [] { return known(8); }});
  add({.name = "slow.normalize", .unit = "ops/s", .ours = normalized});
}

#include "scalekit/limit.hpp"

#include "harness.hpp"

#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

using namespace std::chrono_literals;
namespace limit = scalekit::limit;

constexpr std::uint64_t per_window = 1'000'000'000;
constexpr auto window = 1s;

/// The limiter that services write first: a count per key and window under one mutex.
class window_counter {
 public:
  bool check(const std::string& key) {
    auto now = std::chrono::steady_clock::now();
    std::lock_guard hold(mutex_);
    auto& state = counts_[key];
    if (now - state.began >= window) state = {now, 0};
    if (state.count >= per_window) return false;
    ++state.count;
    return true;
  }

 private:
  struct count {
    std::chrono::steady_clock::time_point began{};
    std::uint64_t count = 0;
  };

  std::mutex mutex_;
  std::unordered_map<std::string, count> counts_;
};

/// 22 to 28 bytes, as session and account keys are; from a vector, as a parsed request's would be.
std::vector<std::string> keys(std::size_t count) {
  std::vector<std::string> all;
  all.reserve(count);
  for (std::size_t i = 0; i < count; ++i) all.push_back("account:0123456789:" + std::to_string(i));
  for (auto& key : all) key.resize(24, '-');
  return all;
}

limit::limiter make_limiter(std::size_t max_keys) {
  return limit::limiter({.rules = {{.name = "account",
                                    .by = {"user"},
                                    .limit = per_window,
                                    .per = window,
                                    .max_keys = max_keys}}});
}

/// Visits the keys in an order that caches and prefetchers cannot guess, or the only one.
template <class Check>
double checks(const std::vector<std::string>& all, Check check) {
  return bench::rate([&](std::uint64_t n) {
    std::uint64_t admitted = 0;
    std::size_t at = 0;
    for (std::uint64_t i = 0; i < n; ++i) {
      admitted += check(all[at]) ? 1u : 0u;
      at = (at + 7919) % all.size();
    }
    bench::keep(admitted);
  });
}

void add_case(std::string name, std::size_t key_count, double least_ratio, double least_value) {
  bench::add({.name = std::move(name),
              .unit = "ops/s",
              .ours =
                  [key_count] {
                    auto all = keys(key_count);
                    auto limiter = make_limiter(2 * key_count + 64);
                    return checks(all, [&](const std::string& key) {
                      return limiter.check({limit::user(key)}).allowed();
                    });
                  },
              .peer_name = "mutex + unordered_map window counter",
              .peer =
                  [key_count] {
                    auto all = keys(key_count);
                    window_counter counter;
                    return checks(all, [&](const std::string& key) { return counter.check(key); });
                  },
              .least_ratio = least_ratio,
              .least_value = least_value});
}

}  // namespace

void bench::register_cases() {
  add_case("limit.local.one", 1, 1, 10e6);
  add_case("limit.local.many", 100'000, 0, 0);
}

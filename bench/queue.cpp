// queue.sqlite.drain: no-op jobs done from a backlog of 100 k, every commit on the disk.

#include "scalekit/queue.hpp"

#include "harness.hpp"
#include "scalekit/db/client.hpp"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <stdlib.h>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace queue = scalekit::queue;
using namespace std::chrono_literals;

constexpr std::size_t backlog = 100'000;

class temp_directory {
 public:
  temp_directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sk-bench-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  ~temp_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

void fill(queue::queue& jobs) {
  const std::vector<queue::job_request> batch(1000,
                                              {.kind = "noop", .payload = std::string(100, 'x')});
  for (std::size_t i = 0; i < backlog; i += batch.size()) jobs.enqueue_many(batch);
}

bool is_drained(queue::queue& jobs) {
  const auto s = jobs.stats();
  return s.ready + s.scheduled + s.running + s.dead == 0;
}

/// A worker with its default settings, from its start to the moment in which no job is left in
/// any table.
double drain() {
  temp_directory dir;
  auto db = scalekit::db::client::open("sqlite://" + (dir.path() / "jobs.db").string() +
                                       "?synchronous=full");
  queue::queue jobs(db);
  jobs.migrate();
  fill(jobs);

  std::atomic<std::uint64_t> ran{0};
  queue::worker w(jobs);
  w.on("noop", [&](queue::attempt&) { ran.fetch_add(1, std::memory_order_relaxed); });
  const auto began = std::chrono::steady_clock::now();
  w.start();
  while (ran.load(std::memory_order_relaxed) < backlog || !is_drained(jobs)) {
    std::this_thread::sleep_for(1ms);
  }
  const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  w.stop(5s);

  if (ran.load() != backlog || w.stats().kinds.at(0).done != backlog) {
    throw std::runtime_error("queue.sqlite.drain: " + std::to_string(ran.load()) +
                             " handlers ran for " + std::to_string(backlog) + " jobs");
  }
  return static_cast<double>(backlog) / took;
}

}  // namespace

void bench::register_cases() {
  bench::add({.name = "queue.sqlite.drain",
              .unit = "jobs/s",
              .direction = bench::better::more,
              .ours = drain,
              .least_value = 10'000,
              .runs = 5});
}

#include "conformance/cache_suite.hpp"
#include "scalekit/cache.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <list>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace {

/// What fdatasync() was called for, and nothing while it is null.
std::vector<std::string>* synced = nullptr;

}  // namespace

// In place of the C library's, which it does the work of.
extern "C" int fdatasync(int fd) {
  if (synced != nullptr) {
    synced->push_back(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd)));
  }
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

namespace cache = scalekit::cache;
using namespace cache_test;
using namespace std::chrono_literals;

TEST_CASE("the file tier alone passes the cache suite") {
  std::list<temporary_directory> directories;
  conformance::cache::run([&](const scalekit::clock& clock) {
    auto params = files_only(directories.emplace_back().path());
    params.clock = &clock;
    return cache::store::open(params);
  });
}

TEST_CASE("both tiers together pass the cache suite") {
  std::list<temporary_directory> directories;
  conformance::cache::run([&](const scalekit::clock& clock) {
    return cache::store::open({.memory = {.max_bytes = 1 << 20},
                               .file = {.directory = directories.emplace_back().path()},
                               .clock = &clock,
                               .seed = 1});
  });
}

TEST_CASE("a value found in a file is served from memory next, for what is left of its time") {
  temporary_directory directory;
  scalekit::testing::manual_clock clock;
  const cache::policy how{.type = "t", .ttl = 60s, .memory_ttl = 10s, .jitter = 0};
  cache::store_params both{.file = {.directory = directory.path()}, .clock = &clock};
  cache::store::open(both).set("a", 1, how);
  auto store = cache::store::open(both);

  clock.advance(20s);
  CHECK(store.get<int>("a").tier == cache::tier::file);
  auto again = store.get<int>("a");
  CHECK(again.tier == cache::tier::memory);
  CHECK(again.age == 20s);
  clock.advance(10s);
  CHECK(store.get<int>("a").tier == cache::tier::file);
  clock.advance(30s);
  CHECK_FALSE(store.get<int>("a"));
}

TEST_CASE("values survive the process; what cleared them does too") {
  temporary_directory directory;
  cache::store::open(files_only(directory.path())).set("a", 1, cache::ttl::product);
  CHECK(cache::store::open(files_only(directory.path())).get<int>("a").value == 1);

  cache::store::open(files_only(directory.path())).clear();
  CHECK_FALSE(cache::store::open(files_only(directory.path())).get<int>("a"));
}

TEST_CASE("the files never take more than their quota") {
  temporary_directory directory;
  auto params = files_only(directory.path());
  params.file.max_bytes = 100'000;
  auto store = cache::store::open(params);

  for (int i = 0; i < 400; ++i) {
    store.set(std::to_string(i), std::string(1000, 'x'), cache::ttl::product);
    REQUIRE(store.stats().file.bytes <= 100'000);
  }
  std::uintmax_t real = 0;
  for (auto& file : entry_files(directory.path())) real += fs::file_size(file);
  CHECK(real == store.stats().file.bytes);
  CHECK(real > 50'000);
  CHECK(store.stats().file.evicted > 0);
  CHECK(store.get<std::string>("399"));
}

TEST_CASE("opening counts what is there and sweeps what dead writers left") {
  temporary_directory directory;
  cache::store::open(files_only(directory.path())).set("a", 1, cache::ttl::product);
  const auto file = entry_files(directory.path()).at(0);
  const auto orphan = file.parent_path() / ".tmp-1-2";
  overwrite(orphan, "half an entry");
  overwrite(file.parent_path() / ("0" + file.filename().string().substr(1)), "junk");

  auto store = cache::store::open(files_only(directory.path()));
  CHECK_FALSE(fs::exists(orphan));
  CHECK(store.stats().file.orphans == 1);
  CHECK(store.stats().file.entries == 2);
}

TEST_CASE("with fsync a value is on the disk before it takes its place, without it never waits") {
  for (const auto policy : {cache::fsync_policy::none, cache::fsync_policy::data}) {
    temporary_directory directory;
    auto params = files_only(directory.path());
    params.file.fsync = policy;
    auto store = cache::store::open(params);
    std::vector<std::string> seen;

    synced = &seen;
    store.set("a", 1, cache::ttl::product);
    synced = nullptr;

    CHECK(store.get<int>("a").value == 1);
    if (policy == cache::fsync_policy::none) {
      CHECK(seen.empty());
    } else {
      REQUIRE(seen.size() == 1);
      CHECK(seen[0].starts_with(directory.path()));
      // Under the name that it has until it is whole.
      CHECK(seen[0].find("/.tmp-") != std::string::npos);
    }
  }
}

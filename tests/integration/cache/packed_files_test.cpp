#include "conformance/cache_suite.hpp"
#include "packed.hpp"
#include "scalekit/cache.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <list>
#include <string>

namespace cache = scalekit::cache;
using namespace cache_test;

TEST_CASE("compressed and sealed files pass the cache suite") {
  std::list<temporary_directory> directories;
  conformance::cache::run([&](const scalekit::clock& clock) {
    auto params = files_only(directories.emplace_back().path());
    params.entries = packed;
    params.clock = &clock;
    return cache::store::open(params);
  });
}

TEST_CASE("a file is smaller for it, and read by who has the secret, or wants none") {
  temporary_directory directory;
  const auto params = files_only(directory.path());
  check_secrets(params);

  temporary_directory fresh;
  carried(files_only(fresh.path()), packed, packed);
  CHECK(fs::file_size(entry_files(fresh.path()).at(0)) < 1000);
}

TEST_CASE("no flipped byte of a compressed and sealed file ever gives a value") {
  temporary_directory directory;
  auto params = files_only(directory.path());
  params.entries = packed;
  auto store = cache::store::open(params);
  store.set("a", text, cache::ttl::product);
  const auto file = entry_files(directory.path()).at(0);
  const auto bytes = contents(file);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] = static_cast<char>(~damaged[i]);
    overwrite(file, damaged);
    INFO("byte " << i);
    CHECK_FALSE(store.get<std::string>("a"));
  }
}

#include "conformance/session_suite.hpp"
#include "scalekit/cache/sessions.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <list>
#include <string>

// Sessions in files, and of several processes.

namespace cache = scalekit::cache;
using namespace cache_test;
using namespace std::chrono_literals;

TEST_CASE("sessions in files alone pass their suite") {
  std::list<temporary_directory> directories;
  conformance::sessions::run([&](const scalekit::clock& clock) {
    auto params = files_only(directories.emplace_back().path());
    params.clock = &clock;
    return cache::store::open(params);
  });
}

TEST_CASE("sessions in both tiers pass their suite") {
  std::list<temporary_directory> directories;
  conformance::sessions::run([&](const scalekit::clock& clock) {
    return cache::store::open({.memory = {.max_bytes = 4 << 20},
                               .file = {.directory = directories.emplace_back().path()},
                               .clock = &clock,
                               .seed = 1});
  });
}

TEST_CASE("a session survives its process, and not its destruction by another one") {
  temporary_directory directory;
  cache::sessions sessions(cache::store::open(files_only(directory.path())));
  const auto first = sessions.create("anna", 1);
  const auto second = sessions.create("anna", 2);

  CHECK(in_child([&] {
          cache::sessions other(cache::store::open(files_only(directory.path())));
          const auto found = other.load<int>(first);
          other.destroy(first);
          return found && found->data == 1 ? 0 : 1;
        }) == 0);
  CHECK_FALSE(sessions.touch(first));
  CHECK(sessions.touch(second));

  CHECK(in_child([&] {
          cache::sessions other(cache::store::open(files_only(directory.path())));
          other.destroy_all("anna");
          return 0;
        }) == 0);
  CHECK_FALSE(sessions.touch(second));
}

TEST_CASE("no file holds an id") {
  temporary_directory directory;
  cache::sessions sessions(cache::store::open(files_only(directory.path())));
  const auto id = sessions.create("anna", 1);
  const auto files = entry_files(directory.path());
  CHECK(files.size() == 4);
  for (const auto& each : files) CHECK(contents(each).find(id) == std::string::npos);
}

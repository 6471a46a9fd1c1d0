// Several processes on one directory.

#include "cache/directory_table.hpp"
#include "scalekit/cache.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <fcntl.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace cache = scalekit::cache;
using namespace cache_test;

TEST_CASE("what one process stores, another finds; what it erases is gone") {
  temporary_directory directory;
  auto store = cache::store::open(files_only(directory.path()));

  CHECK(in_child([&] {
          auto other = cache::store::open(files_only(directory.path()));
          other.set("a", 42, cache::ttl::product);
          return 0;
        }) == 0);
  CHECK(store.get<int>("a").value == 42);
  CHECK(in_child([&] {
          cache::store::open(files_only(directory.path())).erase("a");
          return 0;
        }) == 0);
  CHECK_FALSE(store.get<int>("a"));
}

TEST_CASE("who waits for a process that makes the directory goes on when that one is killed") {
  temporary_directory directory;
  fs::create_directories(directory.path() + "/v1");
  // All that a maker has done when it is killed early: an empty table, and a lock that goes with
  // it.
  cache::detail::descriptor table(
      ::open((directory.path() + "/v1/table").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_start = cache::detail::directory_table::presence_byte;
  lock.l_len = 1;
  REQUIRE(::fcntl(table.get(), F_OFD_SETLK, &lock) == 0);
  int ready[2];
  REQUIRE(::pipe(ready) == 0);

  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    children.push_back(start_child([&] {
      if (::write(ready[1], "x", 1) != 1) return 2;
      auto store = cache::store::open(files_only(directory.path()));
      const auto key = std::to_string(i);
      store.set(key, i, cache::ttl::product);
      return store.get<int>(key).value == i ? 0 : 1;
    }));
  }
  char told[3];
  for (auto& each : told) REQUIRE(::read(ready[0], &each, 1) == 1);
  // They say so just before they open; where one is late, it only finds nobody to wait for.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  lock.l_type = F_UNLCK;
  REQUIRE(::fcntl(table.get(), F_OFD_SETLK, &lock) == 0);

  for (auto child : children) CHECK(wait_for(child) == 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("an erase by another process during a load wins, in both tiers") {
  temporary_directory directory;
  auto store = cache::store::open({.file = {.directory = directory.path()}});

  store.get_or_load<int>("a", cache::ttl::product, [&] {
    CHECK(in_child([&] {
            cache::store::open(files_only(directory.path())).erase("a");
            return 0;
          }) == 0);
    return 1;
  });

  CHECK_FALSE(store.get<int>("a"));
  CHECK(store.stats().fenced_fills == 1);
}

TEST_CASE("processes that write the same keys at once never show a torn or foreign value") {
  temporary_directory directory;
  constexpr int processes = 3;
  constexpr int rounds = 400;
  auto hammer = [&](int self) {
    auto store = cache::store::open(files_only(directory.path()));
    for (int i = 0; i < rounds; ++i) {
      const auto key = std::to_string(i % 5);
      const auto letter = static_cast<char>('a' + self);
      store.set(key, key + std::string(static_cast<std::size_t>(100 + i * 13 % 5000), letter),
                cache::ttl::product);
      const auto found = store.get<std::string>(key);
      if (!found) continue;
      const auto body = found->substr(1);
      if (found->substr(0, 1) != key) return 1;
      if (body.find_first_not_of(body[0]) != std::string::npos) return 2;
    }
    return store.stats().file.corrupt == 0 ? 0 : 3;
  };

  std::vector<pid_t> children;
  for (int i = 0; i < processes; ++i) {
    children.push_back(start_child([&] { return hammer(i); }));
  }

  for (auto child : children) CHECK(wait_for(child) == 0);
  auto store = cache::store::open(files_only(directory.path()));
  std::uintmax_t real = 0;
  for (auto& file : entry_files(directory.path())) real += fs::file_size(file);
  CHECK(store.stats().file.entries == 5);
  CHECK(store.stats().file.bytes == real);
}

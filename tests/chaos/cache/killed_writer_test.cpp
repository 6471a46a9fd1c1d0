// Processes that write a shared directory are killed with -9, again and again.

#include "integration/cache/support.hpp"
#include "scalekit/cache.hpp"

#include <doctest/doctest.h>

#include <random>
#include <signal.h>
#include <string>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace cache = scalekit::cache;
using namespace cache_test;

namespace {

constexpr int keys = 20;

/// A value that says whose it is and is the same byte all through.
std::string value_of(const std::string& key, unsigned salt) {
  return key + ':' + std::string(20 + salt % 40'000, static_cast<char>('a' + salt % 26));
}

bool is_whole(const std::string& key, const std::string& value) {
  const auto prefix = key + ':';
  if (!value.starts_with(prefix)) return false;
  const auto body = value.substr(prefix.size());
  const auto length = body.size();
  if (length < 20 || body.find_first_not_of(body[0]) != std::string::npos) return false;
  return static_cast<unsigned char>(body[0] - 'a') < 26;
}

/// Writes and erases until it is killed.
[[noreturn]] void write_for_ever(const std::string& directory, int ready) {
  auto store = cache::store::open(files_only(directory));
  std::mt19937 random(static_cast<unsigned>(::getpid()));
  char one = 1;
  if (::write(ready, &one, 1) != 1) ::_exit(1);
  for (;;) {
    const auto key = std::to_string(random() % keys);
    if (random() % 10 == 0) {
      store.erase(key);
    } else {
      store.set(key, value_of(key, static_cast<unsigned>(random())), cache::ttl::product);
    }
  }
}

/// Starts a process that writes, and kills it `nanoseconds` after its first write.
void kill_a_writer(const fs::path& directory, std::uint_fast32_t nanoseconds) {
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const auto child = ::fork();
  if (child == 0) {
    try {
      write_for_ever(directory, ready[1]);
    } catch (...) {
      ::_exit(1);
    }
  }
  char one = 0;
  REQUIRE(::read(ready[0], &one, 1) == 1);
  const timespec while_it_writes{0, static_cast<long>(nanoseconds)};
  ::nanosleep(&while_it_writes, nullptr);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

}  // namespace

TEST_CASE("writers killed with -9 leave no wrong value, no lock and no litter") {
  temporary_directory directory;
  std::mt19937 random(11);
  int found = 0;
  for (int round = 0; round < 30; ++round) {
    kill_a_writer(directory.path(), random() % 20'000'000);

    auto store = cache::store::open(files_only(directory.path()));
    for (int k = 0; k < keys; ++k) {
      const auto key = std::to_string(k);
      const auto value = store.get<std::string>(key).value;
      if (!value) continue;
      ++found;
      REQUIRE(is_whole(key, *value));
    }
    // The dead one's locks went with it: nothing here waits.
    store.set("mine", round, cache::ttl::product);
    REQUIRE(store.get<int>("mine").value == round);
    REQUIRE(store.stats().file.corrupt == 0);
    std::uintmax_t real = 0;
    for (auto& file : entry_files(directory.path())) {
      REQUIRE_FALSE(file.filename().string().starts_with(".tmp-"));
      real += fs::file_size(file);
    }
    REQUIRE(store.stats().file.bytes == real);
  }
  CHECK(found > 0);
}

TEST_CASE("writers killed with -9 never make the files look smaller than they are") {
  temporary_directory directory;
  // Open all the while: only who opens a directory alone counts its files anew.
  auto store = cache::store::open(files_only(directory.path()));
  std::mt19937 random(12);
  for (int round = 0; round < 30; ++round) {
    kill_a_writer(directory.path(), random() % 10'000'000);

    std::uintmax_t real = 0;
    for (auto& file : entry_files(directory.path())) {
      if (!file.filename().string().starts_with(".tmp-")) real += fs::file_size(file);
    }
    REQUIRE(store.stats().file.bytes >= real);
  }
}

#include "scalekit/cache.hpp"
#include "scalekit/testing/manual_clock.hpp"
#include "support.hpp"
#include "support/may_mount.hpp"

#include <doctest/doctest.h>

#include <signal.h>
#include <string>
#include <sys/mount.h>
#include <sys/resource.h>
#include <utility>

namespace cache = scalekit::cache;
using namespace cache_test;
using namespace std::chrono_literals;
using scalekit::errc;

namespace {

/// A small file system of its own, where the tests may mount one.
class small_disk {
 public:
  small_disk() {
    mounted_ = ::mount("tmpfs", directory_.path().c_str(), "tmpfs", 0, "size=1m") == 0;
  }
  ~small_disk() {
    if (mounted_) ::umount2(directory_.path().c_str(), MNT_DETACH);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  bool is_mounted() const { return mounted_; }
  std::string path() const { return directory_.path(); }
  bool make_read_only() {
    return ::mount(nullptr, path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0;
  }

 private:
  temporary_directory directory_;
  bool mounted_ = false;
};

/// A directory of files in use, read-only while this lives. (A whole file system would not become
/// so while the store has its table mapped.)
class read_only_again {
 public:
  explicit read_only_again(fs::path directory) : directory_(std::move(directory)) {
    const auto* at = directory_.c_str();
    if (::mount(at, at, nullptr, MS_BIND, nullptr) != 0) return;
    mounted_ = ::mount(nullptr, at, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0;
    if (!mounted_) ::umount2(at, MNT_DETACH);
  }
  ~read_only_again() {
    if (mounted_) ::umount2(directory_.c_str(), MNT_DETACH);
  }
  read_only_again(const read_only_again&) = delete;
  read_only_again& operator=(const read_only_again&) = delete;

  bool is_mounted() const { return mounted_; }

 private:
  fs::path directory_;
  bool mounted_ = false;
};

}  // namespace

TEST_CASE("on a full disk values are served from memory, errors are counted, old ones are gone") {
  small_disk disk;
  if (!support::may_mount(disk.is_mounted())) return;
  auto store = cache::store::open({.file = {.directory = disk.path(), .pause = 1h}});
  auto files = cache::store::open(files_only(disk.path()));
  store.set("a", std::string("old"), cache::ttl::product);
  overwrite(disk.path() + "/filler", std::string(1 << 20, 'x'));

  for (int i = 0; i < 5; ++i) {
    store.set("a", std::string(30'000, 'n'), cache::ttl::product);
    CHECK(store.get<std::string>("a").tier == cache::tier::memory);
  }

  CHECK_FALSE(files.get<std::string>("a"));
  CHECK(store.stats().file.write_errors == 3);
  CHECK(store.stats().file.paused == 2);
}

TEST_CASE("after a pause the directory is tried again") {
  small_disk disk;
  if (!support::may_mount(disk.is_mounted())) return;
  scalekit::testing::manual_clock clock;
  auto store = cache::store::open(
      {.file = {.directory = disk.path(), .failures_to_pause = 1, .pause = 1s}, .clock = &clock});
  overwrite(disk.path() + "/filler", std::string(1 << 20, 'x'));
  store.set("a", std::string(30'000, 'x'), cache::ttl::product);
  fs::remove(disk.path() + "/filler");

  store.set("b", 1, cache::ttl::product);
  CHECK(store.stats().file.entries == 0);
  clock.advance(1s);
  store.set("b", 1, cache::ttl::product);
  CHECK(store.stats().file.entries == 1);
}

TEST_CASE("a process that may not write files of this size goes on from memory") {
  temporary_directory directory;
  const int status = in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    auto store = cache::store::open({.file = {.directory = directory.path()}});
    store.set("a", std::string("old"), cache::ttl::product);
    const rlimit limit{70'000, 70'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::string large(200'000, 'n');
    store.set("a", large, cache::ttl::product);
    const bool served = store.get<std::string>("a").value == large;
    const bool counted = store.stats().file.write_errors == 1;
    const bool old_gone = entry_files(directory.path()).empty();
    return served && counted && old_gone ? 0 : 1;
  });

  CHECK(status == 0);
}

TEST_CASE("what was erased stays erased when its file cannot be removed") {
  temporary_directory directory;
  auto store = cache::store::open(files_only(directory.path()));
  store.set("a", 1, cache::ttl::product);
  const auto file = entry_files(directory.path()).at(0);
  const auto bytes = contents(file);
  // A directory in the file's place: unlink() fails, as it does on a read-only file system, and
  // does so for root too.
  fs::remove(file);
  fs::create_directory(file);

  store.erase("a");

  fs::remove(file);
  overwrite(file, bytes);
  CHECK_FALSE(store.get<int>("a"));
  CHECK(store.stats().file.write_errors == 1);
}

TEST_CASE("a file that cannot take its place is not counted") {
  temporary_directory directory;
  auto store = cache::store::open(files_only(directory.path()));
  store.set("a", 1, cache::ttl::product);
  const auto file = entry_files(directory.path()).at(0);
  const auto before = store.stats().file;
  fs::remove(file);
  fs::create_directory(file);

  store.set("a", std::string(1000, 'x'), cache::ttl::product);

  CHECK(store.stats().file.entries == before.entries);
  CHECK(store.stats().file.bytes == before.bytes);
}

TEST_CASE("a directory that cannot be used is refused when it is opened") {
  small_disk disk;
  if (!support::may_mount(disk.is_mounted() && disk.make_read_only())) return;
  try {
    cache::store::open(files_only(disk.path()));
    FAIL("must throw");
  } catch (const scalekit::error& e) {
    CHECK(e.code() == errc::read_only);
    CHECK(std::string(e.what()).find(disk.path()) != std::string::npos);
  }
}

TEST_CASE("files that turn read-only under an open store: it goes on from memory, never stale") {
  temporary_directory directory;
  auto store = cache::store::open({.file = {.directory = directory.path(), .pause = 1h}});
  auto files = cache::store::open(files_only(directory.path()));
  store.set("a", std::string("old"), cache::ttl::product);
  const read_only_again frozen(entry_files(directory.path()).at(0).parent_path());
  if (!support::may_mount(frozen.is_mounted())) return;
  CHECK(files.get<std::string>("a").value == "old");

  store.set("a", std::string("new"), cache::ttl::product);

  CHECK(store.get<std::string>("a").tier == cache::tier::memory);
  CHECK(store.get<std::string>("a").value == "new");
  // The new file, and the old one, which could not be removed.
  CHECK(store.stats().file.write_errors == 2);
  CHECK_FALSE(files.get<std::string>("a"));
  store.erase("a");
  CHECK_FALSE(store.get<std::string>("a"));
}

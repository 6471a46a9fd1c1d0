#include "scalekit/cache.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <string>

namespace cache = scalekit::cache;
using namespace cache_test;
using scalekit::errc;

namespace {

/// A store with one entry, its file, and the file's bytes.
struct one_entry {
  one_entry() {
    store.set("product:42", std::string("a value"), cache::ttl::product);
    file = entry_files(directory.path()).at(0);
    bytes = contents(file);
  }

  /// What a lookup gives when the file holds `damaged`.
  std::optional<std::string> found_with(const std::string& damaged) {
    overwrite(file, damaged);
    return store.get<std::string>("product:42").value;
  }

  temporary_directory directory;
  cache::store store = cache::store::open(files_only(directory.path()));
  fs::path file;
  std::string bytes;
};

}  // namespace

TEST_CASE("no flipped byte in a file ever gives a value") {
  one_entry e;
  for (std::size_t i = 0; i < e.bytes.size(); ++i) {
    auto damaged = e.bytes;
    damaged[i] = static_cast<char>(~damaged[i]);
    INFO("byte " << i);
    CHECK_FALSE(e.found_with(damaged));
  }

  CHECK(e.store.stats().file.corrupt == e.bytes.size());
  CHECK(e.found_with(e.bytes) == "a value");
}

TEST_CASE("no truncated file ever gives a value") {
  one_entry e;
  for (std::size_t size = 0; size < e.bytes.size(); ++size) {
    INFO("length " << size);
    CHECK_FALSE(e.found_with(e.bytes.substr(0, size)));
  }
}

TEST_CASE("damaged files are moved to quarantine, up to its limit, and counted") {
  temporary_directory directory;
  auto params = files_only(directory.path());
  params.file.max_quarantined = 2;
  auto store = cache::store::open(params);
  for (int i = 0; i < 5; ++i) store.set(std::to_string(i), i, cache::ttl::product);
  for (auto& file : entry_files(directory.path())) overwrite(file, "junk");

  for (int i = 0; i < 5; ++i) CHECK_FALSE(store.get<int>(std::to_string(i)));

  CHECK(store.stats().file.corrupt == 5);
  CHECK(store.stats().file.entries == 0);
  CHECK(entry_files(directory.path()).empty());
  const auto kept = fs::directory_iterator(directory.path() + "/v1/quarantine");
  CHECK(std::distance(begin(kept), end(kept)) == 2);
}

TEST_CASE("another key's file under this key's name is not taken for it") {
  one_entry e;
  e.store.set("other", std::string("another value"), cache::ttl::product);
  for (auto& file : entry_files(e.directory.path())) {
    if (file != e.file) overwrite(e.file, contents(file));
  }

  CHECK_FALSE(e.store.get<std::string>("product:42"));
}

TEST_CASE("a file longer than any entry is not read into memory") {
  one_entry e;
  fs::resize_file(e.file, std::uintmax_t{1} << 40);

  CHECK_FALSE(e.store.get<std::string>("product:42"));
  CHECK(e.store.stats().file.corrupt == 1);
}

TEST_CASE("entries of a former life of the directory are dead") {
  temporary_directory directory;
  cache::store::open(files_only(directory.path())).set("a", 1, cache::ttl::product);
  fs::remove(directory.path() + "/v1/table");

  CHECK_FALSE(cache::store::open(files_only(directory.path())).get<int>("a"));
}

TEST_CASE("a table that is none is refused, and left alone") {
  temporary_directory directory;
  fs::create_directory(directory.path() + "/v1");
  overwrite(directory.path() + "/v1/table", "somebody's data");

  try {
    cache::store::open(files_only(directory.path()));
    FAIL("must throw");
  } catch (const scalekit::error& e) {
    CHECK(e.code() == errc::corrupt);
  }
  CHECK(contents(directory.path() + "/v1/table") == "somebody's data");
}

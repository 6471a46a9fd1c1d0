#include "cache/hash.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace scalekit::cache::detail;

TEST_CASE("xxh64 gives the published values") {
  CHECK(xxh64("", 0) == 0xEF46DB3751D8E999);
  CHECK(xxh64("a", 0) == 0xD24EC4F1A98C6E5B);
  CHECK(xxh64("abc", 0) == 0x44BC2CF5AD770999);
  CHECK(xxh64("Nobody inspects the spammish repetition", 0) == 0xFBCEA83C8A378BF1);
}

TEST_CASE("key_hash differs by seed, by length and by every byte") {
  std::set<std::uint64_t> seen;
  std::size_t made = 0;
  for (std::size_t size = 0; size < 64; ++size) {
    std::string key(size, '\0');
    seen.insert(key_hash(key, 1));
    seen.insert(key_hash(key, 2));
    made += 2;
    for (std::size_t i = 0; i < size; ++i) {
      key[i] = 'x';
      seen.insert(key_hash(key, 1));
      key[i] = '\0';
      ++made;
    }
  }

  CHECK(seen.size() == made);
}

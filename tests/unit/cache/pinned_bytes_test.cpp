#include "scalekit/cache/pinned_bytes.hpp"

#include "scalekit/cache/store.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace cache = scalekit::cache;
using cache::pinned_bytes;

TEST_CASE("a view from nowhere is empty, one of given bytes is a copy") {
  CHECK(pinned_bytes().view().empty());
  std::string text = "text";
  pinned_bytes copy{std::string_view(text)};
  text = "gone";

  CHECK(copy.view() == "text");
  CHECK(pinned_bytes(std::string_view()).view().empty());
}

TEST_CASE("copies share the bytes, and what is moved from has none") {
  pinned_bytes first(std::string_view("text"));
  pinned_bytes second = first;
  CHECK(second.view().data() == first.view().data());

  pinned_bytes third = std::move(first);
  second = third;
  third = pinned_bytes();
  CHECK(second.view() == "text");
  CHECK(third.view().empty());
}

TEST_CASE("a hit in memory is not copied, and outlives the value and the store") {
  cache::lookup<pinned_bytes> before, after;
  {
    auto store = cache::store::open();
    store.set("a", std::string("one"), cache::ttl::query);
    before = store.get<pinned_bytes>("a");
    CHECK(before.tier == cache::tier::memory);
    CHECK(store.get<pinned_bytes>("a")->view().data() == before->view().data());

    store.set("a", std::string("two"), cache::ttl::query);
    after = store.get<pinned_bytes>("a");
    CHECK_FALSE(store.get<pinned_bytes>("b"));
    CHECK(store.stats().memory_hits == 3);
  }
  CHECK(before->view() == "one");
  CHECK(after->view() == "two");
}

TEST_CASE("pinned bytes can be loaded, set and read as any other type") {
  auto store = cache::store::open();
  auto loaded = store.get_or_load<pinned_bytes>(
      "a", cache::ttl::query, [] { return pinned_bytes(std::string_view("loaded")); });
  CHECK(loaded->view() == "loaded");
  store.set("b", *loaded, cache::ttl::query);

  CHECK(store.get<std::string>("b").value == "loaded");
  auto again =
      store.get_or_load<pinned_bytes>("b", cache::ttl::query, [] { return pinned_bytes(); });
  CHECK(again->view() == "loaded");
}

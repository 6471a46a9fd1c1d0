#include "cache/memory_tier.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace scalekit::cache::detail;

namespace {

constexpr std::uint64_t hash = 42;
constexpr std::uint32_t stripe = 7;

memory_item item(std::string_view value) {
  return {"a", hash, value, 0, 1000, 1, false};
}

}  // namespace

TEST_CASE("a fill that began before a put is refused, one that began after it is not") {
  memory_tier tier({.max_bytes = 64 << 10});
  fence gate;
  const auto before = gate.current(stripe);
  std::string found;

  tier.put(item("set"), gate, stripe);

  CHECK_FALSE(tier.fill(item("loaded"), gate, stripe, before));
  tier.find("a", hash, 1, found);
  CHECK(found == "set");
  CHECK(tier.fill(item("loaded"), gate, stripe, gate.current(stripe)));
}

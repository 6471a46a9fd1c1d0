#include "cache/owed_erasures.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using scalekit::cache::detail::owed_erasures;
using keys = std::vector<std::string>;

namespace {

bool pays(const std::optional<owed_erasures::payment>& what, const std::string& key) {
  return what && std::ranges::find(what->keys, key) != what->keys.end();
}

}  // namespace

TEST_CASE("nothing is due while nothing is owed") {
  owed_erasures owed(4, 100);

  CHECK(owed.empty());
  CHECK_FALSE(owed.due(keys{"a"}));
}

TEST_CASE("what is owed is due before it is read, and no longer once it is paid") {
  owed_erasures owed(4, 100);
  owed.add("a");
  owed.add("b");

  const auto due = owed.due(keys{"a"});
  CHECK(pays(due, "a"));
  CHECK(pays(due, "b"));  // on the way
  CHECK_FALSE(due->everything);
  CHECK(owed.size() == 2);
  owed.paid(*due);
  CHECK(owed.empty());
}

TEST_CASE("what is owed anew while it is being paid stays owed") {
  owed_erasures owed(4, 100);
  owed.add("a");
  const auto due = owed.due(keys{"a"});

  owed.add("a");
  owed.paid(*due);

  CHECK(pays(owed.due(keys{"a"}), "a"));
}

TEST_CASE("of many that are owed those that are asked for are paid first") {
  owed_erasures owed(1000, 100'000);
  for (int i = 0; i < 500; ++i) owed.add("other" + std::to_string(i));
  owed.add("z");

  const auto due = owed.due(keys{"z", "not owed"});

  CHECK(due->keys.size() == 65);
  CHECK(due->keys.front() == "z");
  CHECK_FALSE(pays(due, "not owed"));
}

TEST_CASE("more than fits makes everything owed, which a new epoch pays") {
  struct row {
    std::size_t most_keys, most_bytes;
  };
  for (const auto& [most_keys, most_bytes] : {row{2, 100}, row{100, 2}}) {
    owed_erasures owed(most_keys, most_bytes);
    owed.add("a");
    owed.add("b");
    CHECK_FALSE(owed.owes_everything());

    owed.add("c");
    CHECK(owed.owes_everything());
    const auto due = owed.due(keys{"whatever"});
    REQUIRE(due);
    CHECK(due->everything);
    owed.paid(*due);
    CHECK(owed.empty());
  }
}

TEST_CASE("an erasure that fails while the new epoch is made is owed after it") {
  owed_erasures owed(1, 100);
  owed.add_everything();
  const auto due = owed.due(keys{"a"});

  owed.add("a");
  owed.paid(*due);

  CHECK(owed.owes_everything());
}

TEST_CASE("a new epoch pays single keys too, but not those that came later") {
  owed_erasures owed(4, 100);
  owed.add("a");
  const auto all = owed.all();
  owed.add("b");

  owed.paid(all);

  CHECK(owed.size() == 1);
  CHECK(pays(owed.due(keys{"b"}), "b"));
}

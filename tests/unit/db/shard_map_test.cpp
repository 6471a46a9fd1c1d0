#include "scalekit/db/shard_map.hpp"

#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

using namespace scalekit::db;
using scalekit::errc;
using support::contains;
using support::error_of;

namespace {

shard_map three() {
  return shard_map::by_range(
      {{{.to = 100}, "a"}, {{.from = 100, .to = 200}, "b"}, {{.from = 200}, "c"}});
}

std::string why_refused(std::vector<shard_span> spans) {
  const auto e = error_of([&] { shard_map::by_range(std::move(spans)); });
  CHECK(e.code() == errc::invalid_argument);
  return e.what();
}

}  // namespace

TEST_CASE("a key belongs to the span that contains it, its end excluded") {
  const auto map = three();

  CHECK(map.shard_of(-5) == "a");
  CHECK(map.shard_of(99) == "a");
  CHECK(map.shard_of(100) == "b");
  CHECK(map.shard_of(199) == "b");
  CHECK(map.shard_of(200) == "c");
  CHECK(map.names() == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("texts are ordered by their bytes") {
  const auto map = shard_map::by_range({{{.to = "m"}, "low"}, {{.from = "m"}, "high"}});

  CHECK(map.shard_of("M") == "low");
  CHECK(map.shard_of("lz") == "low");
  CHECK(map.shard_of("m") == "high");
  CHECK(map.shard_of("\xc3\xa4") == "high");
}

TEST_CASE("what is wrong with a range map is named") {
  CHECK(contains(why_refused({}), "no spans"));
  CHECK(contains(why_refused({{{.to = 1}, "a"}, {{.from = 2}, "b"}}), "a gap, [1, 2)"));
  CHECK(contains(why_refused({{{.to = 2}, "a"}, {{.from = 1}, "b"}}),
                 "span 2, [1, highest] of 'b' overlap"));
  CHECK(contains(why_refused({{{}, "a"}, {{}, "b"}}), "overlap"));
  CHECK(contains(why_refused({{{.to = 1}, "a"}, {{.from = 1, .to = 9}, "b"}}),
                 "the keys from the end of span 2"));
  CHECK(contains(why_refused({{{.from = 1}, "a"}}), "the keys below span 1"));
  CHECK(contains(why_refused({{{.to = 1}, "a"}, {{.from = 1}, ""}}), "names no shard"));
  CHECK(contains(why_refused({{{.to = 1}, "a"}, {{.from = "x"}, "b"}}), "of another kind"));
}

TEST_CASE("a key of the other kind is an error, and is not shown") {
  const auto e = error_of([] { return three().shard_of("secret"); });

  CHECK(e.code() == errc::invalid_argument);
  CHECK_FALSE(contains(e.what(), "secret"));
}

// These numbers are part of the data of whoever uses them: they never change.
TEST_CASE("the bucket of a key is the same for ever") {
  CHECK(shard_bucket(0, 4096) == 3230);
  CHECK(shard_bucket(1, 4096) == 2086);
  CHECK(shard_bucket(-1, 4096) == 46);
  CHECK(shard_bucket("", 4096) == 2342);
  CHECK(shard_bucket("customer-42", 4096) == 953);
}

TEST_CASE("hashed keys are spread evenly, whether they are successive numbers or texts") {
  const auto map = shard_map::by_hash({"a", "b", "c", "d"});
  std::map<std::string, int> numbers, texts;

  for (int i = 0; i < 40'000; ++i) {
    ++numbers[map.shard_of(i)];
    ++texts[map.shard_of("user-" + std::to_string(i))];
  }

  for (const auto& counted : {numbers, texts}) {
    CHECK(counted.size() == 4);
    for (const auto& [name, count] : counted) {
      CHECK(count > 9'600);
      CHECK(count < 10'400);
    }
  }
}

TEST_CASE(
    "a hashed map refuses too few buckets, a shard named twice and spans that are not whole") {
  CHECK_ERRC(shard_map::by_hash({"a", "b"}, 1), errc::invalid_argument);
  CHECK_ERRC(shard_map::by_hash({"a", "b"}, (1 << 20) + 1), errc::invalid_argument);
  CHECK_ERRC(shard_map::by_hash({"a", "a"}), errc::invalid_argument);
  CHECK_ERRC(shard_map::by_buckets({{{.from = 0, .to = 9}, "a"}}, 10), errc::invalid_argument);
}

TEST_CASE("a lookup map goes by its table, then its default or its loader") {
  const auto fixed = shard_map::by_lookup({{"acme", "big"}}, "small");
  int asked = 0;
  const auto asking = shard_map::by_lookup({{1, "big"}}, {}, [&](const shard_key& key) {
    ++asked;
    return key.number() == 2 ? std::optional<std::string>("two") : std::nullopt;
  });

  CHECK(fixed.shard_of("acme") == "big");
  CHECK(fixed.shard_of("other") == "small");
  CHECK(asking.shard_of(1) == "big");
  CHECK(asked == 0);
  CHECK(asking.shard_of(2) == "two");
  CHECK_ERRC(asking.shard_of(3), errc::not_found);
  CHECK_ERRC(shard_map::by_lookup({{1, "a"}, {1, "b"}}), errc::invalid_argument);
  CHECK_ERRC(shard_map::by_lookup({{1, "a"}, {"x", "b"}}), errc::invalid_argument);
}

TEST_CASE("a range that gets another owner is cut out of the spans that have it") {
  struct row {
    shard_range places;
    std::string to;
    std::vector<std::pair<int, std::string>> then;
  };
  const std::vector<row> table{
      {{.from = 120, .to = 150}, "c", {{119, "b"}, {120, "c"}, {149, "c"}, {150, "b"}}},
      {{.from = 100, .to = 200}, "a", {{99, "a"}, {100, "a"}, {199, "a"}, {200, "c"}}},
      {{.to = 50}, "new", {{49, "new"}, {50, "a"}}},
      {{.from = 300}, "b", {{299, "c"}, {300, "b"}}},
      {{.to = 100}, "b", {{0, "b"}, {100, "b"}}},
  };
  for (const auto& [places, to, then] : table) {
    const auto map = three().with_owner(places, to);
    CHECK(map.version() == 2);
    for (const auto& [key, shard] : then) {
      INFO(to_string(places), " key ", key);
      CHECK(map.shard_of(key) == shard);
    }
  }
}

TEST_CASE("a range of several shards has no owner, and they are named") {
  const auto e = error_of([] { return three().owner_of({.from = 50, .to = 150}); });

  CHECK(e.code() == errc::invalid_argument);
  CHECK(contains(e.what(), "'a', 'b'"));
  CHECK(three().owner_of({.from = 100, .to = 200}) == "b");
  CHECK_ERRC(three().owner_of({.from = 5, .to = 5}), errc::invalid_argument);
  CHECK_ERRC(shard_map::by_hash({"a"}, 16).owner_of({.from = 8, .to = 17}), errc::invalid_argument);
}

TEST_CASE("single keys of a lookup map get another owner") {
  const auto map = shard_map::by_lookup({{"acme", "big"}}, "small");

  const auto next =
      map.with_owner(shard_map::only("acme"), "huge").with_owner(shard_map::only("other"), "big");

  CHECK(next.shard_of("acme") == "huge");
  CHECK(next.shard_of("other") == "big");
  CHECK(next.version() == 3);
  CHECK_ERRC(map.with_owner({.from = "a", .to = "b"}, "huge"), errc::invalid_argument);
}

TEST_CASE("a map comes back from its stored form as it was") {
  const shard_move move{.id = "m1",
                        .places = {.from = 120, .to = 150},
                        .from = "b",
                        .to = "c",
                        .tables = {{"orders", "customer", {"id", "line"}}},
                        .phase = move_phase::switching,
                        .owner = 3};
  const auto map = three().with_move(move);

  const auto again = shard_map::parse(map.to_json());

  CHECK(again.to_json() == map.to_json());
  CHECK(again.version() == 2);
  REQUIRE(again.move());
  CHECK(again.move()->phase == move_phase::switching);
  CHECK(again.move()->tables[0].ids == std::vector<std::string>{"id", "line"});
  for (const auto& other :
       {shard_map::by_hash({"a", "b"}, 64), shard_map::by_lookup({{"acme", "big"}}, "small")}) {
    CHECK(shard_map::parse(other.to_json()).to_json() == other.to_json());
  }
}

TEST_CASE("what is stored and is no map is refused") {
  CHECK_ERRC(shard_map::parse("{"), errc::corrupt);
  CHECK_ERRC(shard_map::parse("{\"format\":1}"), errc::corrupt);
  CHECK_ERRC(shard_map::parse("{\"format\":2}"), errc::not_supported);
  CHECK_ERRC(shard_map::parse(R"({"format":1,"kind":"range","version":1,"spans":[]})"),
             errc::corrupt);
  CHECK_ERRC(shard_map::parse(R"({"format":1,"kind":"moon","version":1})"), errc::not_supported);
  CHECK_ERRC(shard_map::by_lookup({}, {}, [](const shard_key&) { return std::nullopt; }).to_json(),
             errc::not_supported);
}

TEST_CASE("a key is a number or a text without NUL") {
  CHECK_ERRC(shard_key(~std::uint64_t{0}), errc::value_out_of_range);
  CHECK_ERRC(shard_key(std::string("a\0b", 3)), errc::invalid_argument);
  CHECK(shard_map::only("a").contains("a"));
  CHECK_FALSE(shard_map::only("a").contains("ab"));
  CHECK_FALSE(shard_map::only(7).contains(8));
}

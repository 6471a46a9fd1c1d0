#include "cache/session_record.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace scalekit;
using namespace scalekit::cache::detail;
using namespace std::chrono_literals;
using life_codec = cache::codec<session_life>;

TEST_CASE("tokens differ, and nothing else is one") {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto token = random_token();
    CHECK(is_token(token));
    CHECK(seen.insert(token).second);
  }
  const std::string bad[] = {"", std::string(22, ' '), std::string(21, 'A'), std::string(23, 'A'),
                             // Bits that stand for nothing.
                             std::string(21, 'A') + "B", std::string(21, 'A') + "=",
                             std::string(20, 'A') + std::string(2, '\0')};
  for (const auto& text : bad) CHECK_FALSE(is_token(text));
}

TEST_CASE("a key says nothing of the id or the user") {
  const std::string id = "AAAAAAAAAAAAAAAAAAAAAA";
  const auto name = session_name(id);
  CHECK(name.size() == 43);
  CHECK(name == session_name(id));
  CHECK(name != session_name("AAAAAAAAAAAAAAAAAAAAAQ"));
  CHECK(life_key(name).find(id) == std::string::npos);
  CHECK(generation_key("anna", 7).find("anna") == std::string::npos);
  CHECK(generation_key("anna", 7) != generation_key("anna", 8));
}

TEST_CASE("a life is read back as it was, and nothing else is read as one") {
  const session_life life{random_token(), from_micros(1'000), from_micros(2'000), "anna\n\x01"};
  std::string bytes;
  life_codec::encode(life, bytes);

  const auto back = life_codec::decode(bytes);

  REQUIRE(back);
  CHECK(back->generation == life.generation);
  CHECK(back->created == life.created);
  CHECK(back->expires == life.expires);
  CHECK(back->user == life.user);

  for (std::size_t n = 0; n < bytes.size() - life.user.size(); ++n) {
    CHECK_FALSE(life_codec::decode(bytes.substr(0, n)));
  }
  auto other_version = bytes;
  other_version[0] = '0';
  CHECK_FALSE(life_codec::decode(other_version));
  auto no_generation = bytes;
  no_generation[20] = '!';
  CHECK_FALSE(life_codec::decode(no_generation));
  std::string backwards;
  life_codec::encode({life.generation, life.expires, life.created, ""}, backwards);
  CHECK_FALSE(life_codec::decode(backwards));
}

TEST_CASE("every session lives in the period it began in, or the next") {
  const auto begin = from_micros(0);
  CHECK(period_of(begin) == 0);
  CHECK(period_of(begin + longest_session - 1us) == 0);
  CHECK(period_of(begin + longest_session) == 1);
  // What begins at the very end of a period is outlived by the period's generation.
  CHECK(generation_ttl >= 2 * longest_session);
}

TEST_CASE("use is written at most once in a share of the idle time") {
  struct row {
    std::chrono::milliseconds age;
    double touch_after;
    bool is_due;
  };
  const row rows[] = {{0ms, 0.1, false},  {99ms, 0.1, false}, {100ms, 0.1, true},
                      {900ms, 0.1, true}, {0ms, 0, true},     {899ms, 0.9, false}};
  for (const auto& row : rows) CHECK(is_touch_due(row.age, 1000ms, row.touch_after) == row.is_due);
}

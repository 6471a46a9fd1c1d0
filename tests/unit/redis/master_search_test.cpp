#include "redis/master_search.hpp"

#include <doctest/doctest.h>

#include <string>
#include <variant>
#include <vector>

using namespace scalekit;
using namespace scalekit::redis::detail;

namespace {

place at(std::string host) {
  return {.host = std::move(host), .port = 26379};
}

const place m1{.host = "m1"}, m2{.host = "m2"};

sentinel_word master(place where) {
  return {.master = std::move(where)};
}
sentinel_word lonely(place where) {
  return {.master = std::move(where), .has_quorum = false, .why = "NOQUORUM"};
}
const sentinel_word unknown{.is_unknown = true, .why = "does not know it"};
const sentinel_word dead{.why = "Connection refused"};

/// What is done with the answer: "ask 1", "m1 by 2", or how it fails.
std::string shown(const master_search::step& s) {
  if (const auto* next = std::get_if<std::size_t>(&s)) return "ask " + std::to_string(*next);
  if (const auto* found = std::get_if<found_master>(&s)) {
    return found->where.host + " by " + std::to_string(found->sentinel) +
           (found->reservation.empty() ? "" : ", " + found->reservation);
  }
  const auto& failed = std::get<failed_search>(s);
  return std::string(failed.code == errc::unavailable ? "unavailable" : "invalid") +
         (failed.is_hopeless ? ", hopeless" : "");
}

struct fixture {
  master_search search{"shop", {at("a"), at("b"), at("c")}};

  /// How it ends, and who was asked: "0 1 2: m1 by 2".
  std::string run(const std::vector<sentinel_word>& words) {
    std::string asked = std::to_string(search.begin());
    for (const auto& word : words) {
      const auto next = search.take(word);
      if (const auto* who = std::get_if<std::size_t>(&next)) {
        asked += " " + std::to_string(*who);
      } else {
        return asked + ": " + shown(next);
      }
    }
    return asked + ": goes on";
  }
};

}  // namespace

TEST_CASE("the sentinels are asked in turn, until one is to be believed") {
  struct row {
    std::vector<sentinel_word> words;
    std::string outcome;
  };
  const row rows[] = {
      {{master(m1)}, "0: m1 by 0"},
      {{dead, master(m1)}, "0 1: m1 by 1"},
      {{unknown, dead, master(m1)}, "0 1 2: m1 by 2"},
      {{dead, dead}, "0 1 2: goes on"},
      {{dead, dead, dead}, "0 1 2: unavailable"},
      {{unknown, unknown, unknown}, "0 1 2: invalid, hopeless"},
      {{dead, unknown, dead}, "0 1 2: invalid"},
      {{lonely(m1), master(m2)}, "0 1: m2 by 1"},
      {{lonely(m1), dead, dead}, "0 1 2: m1 by 0, NOQUORUM"},
      {{dead, lonely(m1), lonely(m2)}, "0 1 2: m1 by 1, NOQUORUM"},
      {{lonely(m1), unknown, unknown}, "0 1 2: m1 by 0, NOQUORUM"},
  };
  for (const auto& row : rows) {
    fixture f;
    CHECK(f.run(row.words) == row.outcome);
  }
}

TEST_CASE("who was believed is asked first the next time, and who was wrong is not") {
  fixture f;
  CHECK(f.run({dead, master(m1)}) == "0 1: m1 by 1");
  CHECK(f.run({master(m1)}) == "1: m1 by 1");

  f.search.doubt(1);
  CHECK(f.run({master(m2)}) == "2: m2 by 2");

  // It was another one that was wrong.
  f.search.doubt(1);
  CHECK(f.run({dead, dead, master(m1)}) == "2 0 1: m1 by 1");
}

TEST_CASE("who has news is asked first, but not in the midst of a search") {
  fixture f;
  f.search.begin();
  f.search.prefer(2);
  CHECK(shown(f.search.take(dead)) == "ask 1");
  CHECK(shown(f.search.take(dead)) == "ask 2");
  f.search.prefer(2);
  CHECK(f.run({master(m2)}) == "2: m2 by 2");
}

TEST_CASE("a search that fails says whom it has asked, and what they said") {
  fixture f;
  f.search.begin();
  f.search.take(dead);
  f.search.take(dead);
  CHECK(std::get<failed_search>(f.search.take(dead)).why ==
        "no sentinel says where the master of \"shop\" is: a:26379: Connection refused; b:26379: "
        "Connection refused; c:26379: Connection refused");

  f.search.begin();
  f.search.take(unknown);
  f.search.take(dead);
  CHECK(std::get<failed_search>(f.search.take(dead)).why ==
        "no sentinel knows the service \"shop\": a:26379: does not know it; b:26379: Connection "
        "refused; c:26379: Connection refused");
}

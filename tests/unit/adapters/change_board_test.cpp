// The rules of the result cache, one situation at a time.

#include "adapters/change_board.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace scalekit::adapters::detail;
using scalekit::time_point;
using scalekit::db::causal_token;
using verdict = read_plan::verdict;

namespace {

using names = std::vector<std::string>;

const names product{"product"};
const names stock{"stock"};
const names both{"product", "stock"};

causal_token at(std::uint64_t lsn, std::uint32_t timeline = 1, std::uint64_t system = 7) {
  return causal_token::postgres(system, timeline, lsn);
}

read_need after(const causal_token& token) {
  return {.token = token};
}

/// A board, and a clock that moves when told to.
struct desk {
  change_board board{{.listens = true, .max_staleness = 2s}};
  time_point now{};

  /// Sends the probe that is due, which must have an echo, and brings both of its answers.
  void prove(std::uint64_t lsn) {
    const auto probe = board.next_probe(now);
    REQUIRE(probe);
    REQUIRE(probe->with_echo);
    board.answered(probe->number, at(lsn));
    board.echoed(probe->number);
  }
  /// Brings the position that tables wait for.
  void bring_floor(std::uint64_t lsn) {
    const auto probe = board.next_probe(now);
    REQUIRE(probe);
    board.answered(probe->number, at(lsn));
  }
  read_plan plan(const names& tables, const read_need& need = {}) {
    return board.plan(tables, need, now);
  }
  std::string version(const names& tables) { return plan(tables).version; }
};

/// Listens, has proof up to LSN 100, and knows the floors of both tables.
desk serving() {
  desk d;
  d.board.began_to_listen(d.now);
  d.prove(100);
  d.plan(both);
  d.bring_floor(100);
  return d;
}

/// Nobody else writes.
desk alone() {
  desk d;
  d.board = change_board({.listens = false});
  return d;
}

}  // namespace

TEST_CASE("nothing is served before a listener has begun and its first echo was heard") {
  desk d;
  CHECK(d.plan(product).what == verdict::deaf);
  CHECK_FALSE(d.board.silence(d.now));

  d.board.began_to_listen(d.now);
  CHECK(d.plan(product).what == verdict::deaf);

  const auto probe = d.board.next_probe(d.now);
  REQUIRE(probe);
  CHECK(probe->with_echo);
  d.board.answered(probe->number, at(100));
  CHECK(d.plan(product).what == verdict::deaf);
  d.board.echoed(probe->number);
  CHECK(d.plan(product).what == verdict::cached);
  CHECK(d.board.silence(d.now) == 0ns);
}

TEST_CASE("an echo that is heard before its answer counts as well") {
  desk d;
  d.board.began_to_listen(d.now);
  const auto probe = d.board.next_probe(d.now);
  REQUIRE(probe);

  d.board.echoed(probe->number);
  CHECK(d.plan(product).what == verdict::deaf);
  d.board.answered(probe->number, at(100));

  CHECK(d.plan(product).what == verdict::cached);
}

TEST_CASE(
    "a table is filled from the primary until a probe sent after its first read is answered") {
  desk d;
  d.board.began_to_listen(d.now);
  d.prove(100);

  const auto first = d.plan(product);
  CHECK(first.on_primary);
  d.bring_floor(120);
  const auto second = d.plan(product);

  CHECK_FALSE(second.on_primary);
  CHECK(second.floor == at(120));
  CHECK(second.version == first.version);
}

TEST_CASE("a notice makes what was cached unfindable, and a later probe brings the floor") {
  auto d = serving();
  const auto before = d.plan(both);

  d.board.noticed("public.product");
  const auto during = d.plan(both);
  CHECK(during.version != before.version);
  CHECK(during.on_primary);
  CHECK_FALSE(d.board.is_current(both, before));
  CHECK(d.board.is_current(both, during));

  d.bring_floor(150);
  const auto then = d.plan(both);
  CHECK(then.version == during.version);
  CHECK_FALSE(then.on_primary);
  CHECK(then.floor == at(150));
}

TEST_CASE("a probe that was under way when the notice came brings no floor") {
  auto d = serving();
  d.board.noticed("product");
  const auto early = d.board.next_probe(d.now);
  REQUIRE(early);
  d.board.noticed("product");

  d.board.answered(early->number, at(140));
  CHECK(d.plan(product).on_primary);

  d.bring_floor(160);
  CHECK(d.plan(product).floor == at(160));
}

TEST_CASE("many notices need one probe, and one is under way at a time") {
  auto d = serving();
  for (int i = 0; i < 100; ++i) d.board.noticed("product");
  d.board.noticed("stock");

  const auto probe = d.board.next_probe(d.now);
  REQUIRE(probe);
  CHECK_FALSE(d.board.next_probe(d.now));
  d.board.answered(probe->number, at(300));

  CHECK_FALSE(d.board.next_probe(d.now));
  CHECK_FALSE(d.plan(both).on_primary);
  CHECK(d.plan(both).floor == at(300));
}

TEST_CASE("a notice of another table changes nothing") {
  auto d = serving();
  const auto before = d.version(product);

  d.board.noticed("stock");
  d.board.noticed("public.somewhere");

  CHECK(d.version(product) == before);
}

TEST_CASE("names match with their schema, or where one of them has none") {
  struct row {
    const char* read;
    const char* changed;
    bool is_same;
  };
  const row rows[] = {
      {"product", "product", true},           {"product", "shop.product", true},
      {"shop.product", "shop.product", true}, {"shop.product", "product", true},
      {"shop.product", "old.product", false}, {"product", "my_product", false},
      {"product", "product.stock", false},    {"shop.product", "shop.stock", false},
  };
  for (const auto& [read, changed, is_same] : rows) {
    INFO(read, " and ", changed);
    auto d = serving();
    const names tables{read};
    const auto before = d.version(tables);

    d.board.noticed(changed);
    CHECK((d.version(tables) != before) == is_same);

    const auto between = d.version(tables);
    d.board.wrote(names{changed}, at(200));
    CHECK((d.version(tables) != between) == is_same);
  }
}

TEST_CASE("a write of this process raises the floor to its token at once") {
  auto d = serving();
  const auto before = d.plan(both);

  d.board.wrote(stock, at(170));
  const auto then = d.plan(both);

  CHECK(then.version != before.version);
  CHECK_FALSE(then.on_primary);
  CHECK(then.floor == at(170));
  CHECK(d.plan(product).floor == at(100));
}

TEST_CASE("a read past the cache is told what is known of the floor as well") {
  desk d;
  d.board.wrote(product, at(170));

  CHECK(d.plan(both).what == verdict::deaf);
  CHECK(d.plan(both).floor == at(170));

  d.board.began_to_listen(d.now);
  d.prove(200);
  CHECK(d.plan(product, after(at(300))).what == verdict::ahead);
  CHECK(d.plan(product, after(at(300))).floor == at(200));
}

TEST_CASE("floors never fall") {
  auto d = serving();
  d.board.wrote(stock, at(170));
  d.board.wrote(stock, at(160));
  CHECK(d.plan(stock).floor == at(170));

  d.board.wrote(stock, at(50, 2));
  CHECK(d.plan(stock).floor == at(50, 2));
  d.board.wrote(stock, at(400, 1));
  CHECK(d.plan(stock).floor == at(50, 2));
}

TEST_CASE("a write whose token is not known is treated as somebody else's") {
  auto d = serving();
  const auto before = d.version(stock);

  d.board.wrote(stock, {});
  CHECK(d.version(stock) != before);
  CHECK(d.plan(stock).on_primary);

  d.bring_floor(210);
  CHECK(d.plan(stock).floor == at(210));
}

TEST_CASE("a token is honoured from the cache when all up to it was heard") {
  auto d = serving();

  CHECK(d.plan(product, after(at(100))).what == verdict::cached);
  CHECK(d.plan(product, after(at(101))).what == verdict::ahead);
  CHECK(d.plan(product, after(at(50, 2))).what == verdict::ahead);
  CHECK(d.plan(product, after(at(50, 1, 8))).what == verdict::ahead);

  d.now += 500ms;
  d.prove(101);
  CHECK(d.plan(product, after(at(101))).what == verdict::cached);
}

TEST_CASE("after a promotion tokens of the old timeline are left to the database") {
  auto d = serving();
  d.board.began_to_listen(d.now);
  const auto probe = d.board.next_probe(d.now);
  d.board.answered(probe->number, at(90, 2));
  d.board.echoed(probe->number);

  CHECK(d.plan(product, after(at(80, 1))).what == verdict::ahead);
  CHECK(d.plan(product, after(at(80, 2))).what == verdict::cached);
}

TEST_CASE("a bound on the lag is kept by the age of the proof") {
  auto d = serving();
  d.now += 300ms;

  CHECK(d.plan(product, {.lag = 200ms}).what == verdict::ahead);
  CHECK(d.plan(product, {.lag = 300ms}).what == verdict::cached);
  CHECK_FALSE(d.plan(product, {.lag = 300ms}).on_primary);
}

TEST_CASE("who may not use the primary does not wait for a floor") {
  auto d = serving();
  CHECK(d.plan(product, {.may_use_primary = false}).what == verdict::cached);

  d.board.noticed("product");

  CHECK(d.plan(product, {.may_use_primary = false}).what == verdict::ahead);
  CHECK(d.plan(product).what == verdict::cached);
}

TEST_CASE("proof runs out") {
  auto d = serving();

  d.now += 2s;
  CHECK(d.plan(product).what == verdict::cached);
  d.now += 1ns;
  CHECK(d.plan(product).what == verdict::deaf);

  const auto before = d.version(product);
  d.prove(130);
  CHECK(d.plan(product).what == verdict::cached);
  CHECK(before.empty());
}

TEST_CASE("what proves counts from when it was sent, not from when it was heard") {
  auto d = serving();
  d.now += 1s;
  const auto probe = d.board.next_probe(d.now);
  REQUIRE(probe);
  d.now += 1500ms;

  d.board.answered(probe->number, at(130));
  d.board.echoed(probe->number);

  CHECK(d.board.silence(d.now) == 1500ms);
  CHECK(d.plan(product).what == verdict::cached);
  d.now += 501ms;
  CHECK(d.plan(product).what == verdict::deaf);
}

TEST_CASE("an older echo that comes late takes no proof away") {
  auto d = serving();
  d.now += 500ms;
  const auto first = d.board.next_probe(d.now);
  d.board.answered(first->number, at(110));
  d.now += 500ms;
  const auto second = d.board.next_probe(d.now);
  d.board.answered(second->number, at(120));

  d.board.echoed(second->number);
  d.board.echoed(first->number);

  CHECK(d.board.silence(d.now) == 0ns);
  CHECK(d.plan(product, after(at(120))).what == verdict::cached);
}

TEST_CASE("a listener that begins again forgets everything, the proof too") {
  auto d = serving();
  const auto before = d.plan(product);
  const auto old = d.board.next_probe(d.now += 500ms);
  REQUIRE(old);

  d.board.began_to_listen(d.now);
  d.board.answered(old->number, at(130));
  d.board.echoed(old->number);
  CHECK(d.plan(product).what == verdict::deaf);

  d.prove(140);
  const auto then = d.plan(product);
  CHECK(then.what == verdict::cached);
  CHECK(then.version != before.version);
  CHECK(then.floor == at(140));
}

TEST_CASE("a lost listener ends the proof, and only a new echo brings another") {
  auto d = serving();
  d.now += 500ms;
  const auto probe = d.board.next_probe(d.now);
  d.board.went_deaf();

  d.board.answered(probe->number, at(130));
  d.board.echoed(probe->number);

  CHECK(d.plan(product).what == verdict::deaf);
}

TEST_CASE("probes go out four times in the time that proof lasts, while the cache is in use") {
  auto d = serving();
  int sent = 0;
  for (; d.now < time_point{} + 10s; d.now += 10ms) {
    if (const auto probe = d.board.next_probe(d.now)) {
      ++sent;
      d.board.answered(probe->number, at(100));
    }
  }
  CHECK(sent == 19);

  d.now += 10min;
  CHECK_FALSE(d.board.next_probe(d.now));
  d.plan(product);
  CHECK(d.board.next_probe(d.now));
}

TEST_CASE("a probe that fails is not repeated at once") {
  auto d = serving();
  d.board.noticed("product");
  const auto probe = d.board.next_probe(d.now);
  REQUIRE(probe);

  d.board.failed(probe->number, d.now);

  CHECK_FALSE(d.board.next_probe(d.now + 499ms));
  CHECK(d.plan(product).on_primary);
  CHECK(d.board.next_probe(d.now + 500ms));
}

TEST_CASE("writes lost in a promotion take their floors and all results with them") {
  auto d = serving();
  d.board.wrote(product, at(170));
  const auto before = d.plan(product);

  d.board.lost_writes();
  CHECK_FALSE(d.board.is_current(product, before));
  CHECK(d.plan(product).what == verdict::deaf);

  d.now += 500ms;
  d.prove(60);
  CHECK(d.plan(product).floor == at(60));
}

TEST_CASE("a database that was replaced by another is believed") {
  auto d = serving();
  d.board.noticed("product");
  const auto probe = d.board.next_probe(d.now);

  d.board.answered(probe->number, at(5, 1, 8));

  CHECK(d.plan(product).floor == at(5, 1, 8));
}

TEST_CASE("alone, everything is served and nothing is asked") {
  auto d = alone();

  const auto first = d.plan(product);
  CHECK(first.what == verdict::cached);
  CHECK(first.floor.is_empty());
  CHECK_FALSE(first.on_primary);
  CHECK_FALSE(d.board.next_probe(d.now));

  d.board.wrote(product, at(170));
  CHECK(d.plan(product).version != first.version);
  CHECK(d.plan(product).floor == at(170));
  CHECK(d.plan(product, after(at(170))).what == verdict::cached);
}

TEST_CASE("alone, a table that is read for the first time has the floor of the newest write") {
  auto d = alone();
  d.board.wrote(names{"shop.product"}, at(170));

  CHECK(d.plan(product).floor == at(170));
}

TEST_CASE("alone, a write whose token is not known leaves its table to the primary") {
  auto d = alone();
  d.board.wrote(product, {});

  CHECK(d.plan(product).on_primary);
  CHECK_FALSE(d.plan(stock).on_primary);
}

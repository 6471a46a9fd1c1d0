#pragma once

// Moves of ranges, for SQLite and PostgreSQL alike. A `World` has three clients with the table
// purchase, a fourth for the map, and is empty.

#include "shards_fixture.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

namespace shards_test {

using namespace std::chrono_literals;

/// What each customer's purchases cost, as the test knows it.
using ledger = std::map<std::pair<std::int64_t, std::int64_t>, double>;

inline db::shards open_shop(const db::shards::named_clients& clients, const db::client& home,
                            std::chrono::nanoseconds switch_wait = 10s) {
  return db::shards::open(clients, home, by_hundreds(),
                          {.refresh = 10ms, .lease = 100ms, .switch_wait = switch_wait});
}

inline db::range_move_order order_to_three() {
  return {.id = "half-of-two",
          .places = {.from = 150, .to = 200},
          .to = "three",
          .tables = {purchase_table}};
}

inline std::int64_t rows_of_range(db::client& of) {
  return of.read_one<std::int64_t>(
      sql("select count(*) from purchase where customer >= 150 and customer < 200"));
}

/// Tries again when the read took longer than the lease, which is short here.
inline std::vector<purchase> read_all(const db::shards& shop, const db::statement& query,
                                      const db::scatter_options<purchase>& options) {
  for (;;) {
    try {
      return shop.read_all<purchase>(query, options).rows;
    } catch (const scalekit::error& e) {
      if (e.code() != errc::conflict) throw;
    }
  }
}

/// By a read of all shards, each row by its key.
inline ledger everything(const db::shards& shop) {
  ledger all;
  const auto found = read_all(
      shop, sql("select customer, id, what, price from purchase order by customer, id limit $1"),
      {.order_by = db::ascending(&purchase::customer, &purchase::id),
       .limit = 100'000,
       .key = &purchase::customer});
  for (const auto& row : found) {
    const bool is_new = all.emplace(std::pair(row.customer, row.id), row.price).second;
    CHECK_MESSAGE(is_new, "a row was read twice: ", row.customer, " ", row.id);
  }
  return all;
}

/// Ten purchases each of every tenth customer.
inline ledger fill(const db::shards& shop) {
  ledger all;
  for (std::int64_t customer = 0; customer < 300; customer += 10) {
    for (std::int64_t id = 0; id < 10; ++id) {
      buy(shop, customer, id, 1);
      all[{customer, id}] = 1;
    }
  }
  return all;
}

struct crash : std::exception {};

/// Writes to the range a little at each step of a mover, and remembers what was acknowledged.
class scribbler {
 public:
  scribbler(db::shards shop, ledger& known) : shop_(std::move(shop)), known_(known) {}

  void scribble() {
    ++round_;
    attempt([&] { buy(shop_, 155, 1000 + round_, round_); },
            [&] {
              known_[{155, 1000 + round_}] = round_;
            });
    db::batch both;
    both.write(
        sql("update purchase set price = $1 where customer = 160 and id = 3", double(round_)));
    both.write(sql("insert into purchase values (160, $1, 'desk', 2)", 1000 + round_));
    auto rows = both.read<std::int64_t>(sql("select count(*) from purchase where customer = 160"));
    attempt([&] { shop_.on(160).run(both); },
            [&] {
              known_[{160, 3}] = round_;
              known_[{160, 1000 + round_}] = 2;
              CHECK(rows.take_one() == purchases_of(160));
            });
    const auto gone = std::pair<std::int64_t, std::int64_t>(150 + round_ / 10 * 10, round_ % 10);
    if (gone.first < 200 && gone.first != 160) {
      attempt(
          [&] {
            shop_.on(gone.first)
                .write(sql("delete from purchase where customer = $1 and id = $2", gone.first,
                           gone.second));
          },
          [&] { known_.erase(gone); });
    }
    // And beside it, where nothing may be refused.
    buy(shop_, 120, 1000 + round_, round_);
    known_[{120, 1000 + round_}] = round_;
  }

  int refused() const noexcept { return refused_; }

 private:
  std::int64_t purchases_of(std::int64_t customer) const {
    return std::distance(known_.lower_bound({customer, 0}), known_.lower_bound({customer + 1, 0}));
  }

  template <class Write, class Acknowledged>
  void attempt(Write write, Acknowledged acknowledged) {
    try {
      write();
    } catch (const scalekit::error& e) {
      CHECK(e.code() == errc::conflict);
      ++refused_;
      return;
    }
    acknowledged();
  }

  db::shards shop_;
  ledger& known_;
  int round_ = 0;
  int refused_ = 0;
};

template <class World>
void moves_all_rows_and_no_others() {
  World w;
  db::shards shop = open_shop(w.clients(), w.home);
  const auto known = fill(shop);
  auto move = db::range_move::start(shop, order_to_three(), {.page_rows = 7});

  move.run();

  const auto status = move.status();
  CHECK_FALSE(status.phase);
  CHECK(status.rows_copied == 50);
  CHECK(status.rows_verified == 50);
  CHECK(status.rows_deleted == 50);
  CHECK(rows_of_range(w.two) == 0);
  CHECK(rows_of_range(w.three) == 50);
  CHECK(count(w.two) == 50);
  CHECK(shop.on(150).name() == "three");
  CHECK_FALSE(shop.map()->move());
  CHECK(everything(shop) == known);
  CHECK_FALSE(move.step());
}

/// A mover dies at its first step, another at its second, and so on, until one dies nowhere; each
/// time another process takes the move up, and people write all the while.
template <class World>
void survives_a_crash_at_every_step() {
  bool dies = true;
  for (int fatal = 1; dies; ++fatal) {
    INFO("the mover dies at step ", fatal);
    World w;
    db::shards shop = open_shop(w.clients(), w.home, 0ms);
    auto known = fill(shop);
    scribbler people(open_shop(w.clients(), w.home, 0ms), known);
    int steps = 0;
    const auto watched = [&](std::string_view) {
      people.scribble();
      if (++steps == fatal) throw crash();
    };

    dies = false;
    try {
      db::range_move::start(shop, order_to_three(), {.page_rows = 20, .about_to = watched}).run();
    } catch (const crash&) {
      dies = true;
      db::shards elsewhere = open_shop(w.clients(), w.home, 0ms);
      db::range_move::resume(elsewhere,
                             {.page_rows = 20, .about_to = [&](auto) { people.scribble(); }})
          .run();
    }
    people.scribble();

    CHECK(people.refused() > 0);
    CHECK(everything(open_shop(w.clients(), w.home)) == known);
    CHECK(rows_of_range(w.two) == 0);
    REQUIRE(fatal < 100);
  }
}

/// The same, but the move is given up by whoever takes it up, as long as that can be done.
template <class World>
void can_be_given_up_at_every_step() {
  bool dies = true;
  for (int fatal = 1; dies; ++fatal) {
    INFO("the move is given up at step ", fatal);
    World w;
    db::shards shop = open_shop(w.clients(), w.home, 0ms);
    auto known = fill(shop);
    scribbler people(open_shop(w.clients(), w.home, 0ms), known);
    int steps = 0;
    dies = false;
    try {
      db::range_move::start(shop, order_to_three(),
                            {.page_rows = 20,
                             .about_to =
                                 [&](std::string_view) {
                                   people.scribble();
                                   if (++steps == fatal) throw crash();
                                 }})
          .run();
    } catch (const crash&) {
      dies = true;
      auto again = db::range_move::resume(shop);
      const bool has_switched = again.status().phase == db::move_phase::switched;
      if (has_switched) {
        CHECK_ERRC(again.abort(), errc::not_allowed);
      } else {
        again.abort();
      }
      again.run();
      CHECK(rows_of_range(has_switched ? w.two : w.three) == 0);
    }
    people.scribble();

    CHECK(everything(open_shop(w.clients(), w.home)) == known);
    REQUIRE(fatal < 100);
  }
}

/// Ends and joins them, also when a test fails.
struct crowd {
  std::atomic<bool> is_over{false};
  std::vector<std::thread> threads;

  ~crowd() { end(); }
  void end() {
    is_over = true;
    for (auto& each : threads) each.join();
    threads.clear();
  }
};

/// Real concurrency: writers that wait out the switch, and readers that must see each row once.
template <class World>
void loses_nothing_under_load() {
  World w;
  db::shards shop = open_shop(w.clients(), w.home);
  fill(shop);
  constexpr int writers = 3;
  std::atomic<std::int64_t> written{0}, reads{0}, wrong{0};
  std::vector<ledger> acknowledged(writers);
  crowd people;
  for (int t = 0; t < writers; ++t) {
    people.threads.emplace_back([&, t] {
      // A process of its own, which hears of the switch when it is refused.
      db::shards mine = open_shop(w.clients(), w.home);
      for (std::int64_t i = 0; !people.is_over; ++i) {
        const std::int64_t customer = 151 + t * 10, id = i;
        const auto insert = sql("insert into purchase values ($1, $2, 'desk', 0)", customer, id);
        const auto update = sql("update purchase set price = $3 where customer = $1 and id = $2",
                                customer, id, double(i));
        if (t == 0) {
          db::batch both;
          both.write(insert);
          both.write(update);
          mine.on(customer).run(both);
        } else {
          mine.on(customer).transaction([&](db::shard_transaction& tx) {
            tx.on(customer).write(insert);
            tx.on(customer).write(update);
          });
        }
        acknowledged[std::size_t(t)][{customer, id}] = double(i);
        if (i >= 10) {
          mine.on(customer).write(
              sql("delete from purchase where customer = $1 and id = $2", customer, id - 10));
          acknowledged[std::size_t(t)].erase({customer, id - 10});
        }
        ++written;
      }
    });
  }
  people.threads.emplace_back([&] {
    db::shards mine = open_shop(w.clients(), w.home);
    while (!people.is_over) {
      const auto found =
          read_all(mine, sql("select customer, id, what, price from purchase where what = 'sofa'"),
                   {.key = &purchase::customer});
      if (found.size() != 300) ++wrong;
      ++reads;
    }
  });

  REQUIRE(support::wait_until([&] { return written > 20 && reads > 2; }));
  auto move = db::range_move::start(shop, order_to_three(), {.page_rows = 10});
  move.run();
  const auto then = written.load();
  REQUIRE(support::wait_until([&] { return written > then + 20; }));
  people.end();

  CHECK(wrong == 0);
  CHECK(rows_of_range(w.two) == 0);
  const auto all = everything(shop);
  std::size_t expected = 300;
  for (const auto& mine : acknowledged) {
    expected += mine.size();
    for (const auto& [row, price] : mine) {
      INFO("customer ", row.first, " purchase ", row.second);
      const auto at = all.find(row);
      REQUIRE(at != all.end());
      CHECK(at->second == price);
    }
  }
  CHECK(all.size() == expected);
  for (const auto& [row, price] : all) {
    // Sofas are those that nobody has touched.
    const bool is_known =
        row.first % 10 == 0 || acknowledged[std::size_t((row.first - 151) / 10)].contains(row);
    CHECK_MESSAGE(is_known, "a delete was lost: customer ", row.first, " purchase ", row.second);
  }
}

template <class World>
void refuses_writers_with_an_old_map_for_ever_and_moves_back() {
  World w;
  db::shards shop = open_shop(w.clients(), w.home);
  const auto known = fill(shop);
  db::range_move::start(shop, order_to_three()).run();

  const auto e =
      error_of([&] { w.two.write(sql("insert into purchase values (170, 77, 'sofa', 1)")); });
  CHECK(db::is_moving(e));
  const auto moved_away = error_of([&] {
    w.two.write(sql("update purchase set customer = 170 where customer = 100 and id = 1"));
  });
  CHECK(db::is_moving(moved_away));
  w.two.write(sql("insert into purchase values (149, 77, 'sofa', 1)"));
  w.two.write(sql("delete from purchase where customer = 149"));

  auto back = order_to_three();
  back.id = "back";
  back.places = {.from = 150, .to = 180};
  back.to = "two";
  db::range_move::start(shop, back).run();

  buy(shop, 170, 78);
  CHECK(shop.on(170).name() == "two");
  CHECK(shop.on(180).name() == "three");
  CHECK(db::is_moving(
      error_of([&] { w.two.write(sql("insert into purchase values (180, 77, 'sofa', 1)")); })));
  CHECK(db::is_moving(
      error_of([&] { w.three.write(sql("insert into purchase values (170, 77, 'sofa', 1)")); })));
  auto now = everything(shop);
  CHECK(now.erase({170, 78}) == 1);
  CHECK(now == known);
}

template <class World>
void a_mover_that_was_taken_over_changes_nothing() {
  World w;
  db::shards shop = open_shop(w.clients(), w.home);
  const auto known = fill(shop);
  std::optional<db::range_move> second;
  int pages = 0;
  auto first = db::range_move::start(shop, order_to_three(),
                                     {.page_rows = 10, .about_to = [&](std::string_view what) {
                                        if (what == "copy a page" && ++pages == 2) {
                                          second = db::range_move::resume(shop, {.page_rows = 10});
                                          while (second->status().rows_copied == 0) second->step();
                                        }
                                      }});

  CHECK_ERRC(first.run(), errc::lease_lost);
  CHECK_ERRC(first.run(), errc::lease_lost);
  CHECK(first.status().rows_copied == 10);
  second->run();

  CHECK(everything(shop) == known);
}

template <class World>
void finds_what_differs() {
  World w;
  db::shards shop = open_shop(w.clients(), w.home);
  const auto known = fill(shop);
  bool is_copied = false;
  auto move = db::range_move::start(shop, order_to_three());
  while (move.status().rows_copied == 0) {
    if (const auto pause = move.step()) std::this_thread::sleep_for(*pause);
  }
  is_copied = true;
  w.three.write(sql("update purchase set price = 99 where customer = 170 and id = 5"));

  const auto e = error_of([&] { move.run(); });
  CHECK(e.code() == errc::corrupt);
  CHECK(contains(e.what(), "1 rows of table 'purchase'"));
  CHECK(shop.on(170).name() == "two");
  move.abort();
  move.run();

  CHECK(is_copied);
  CHECK(everything(shop) == known);
  CHECK(rows_of_range(w.three) == 0);
}

template <class World>
void refuses_what_cannot_be_moved() {
  World w;
  db::shards shop = open_shop(w.clients(), w.home);
  fill(shop);
  const auto start = [&](auto change) {
    auto order = order_to_three();
    change(order);
    return db::range_move::start(shop, order);
  };

  CHECK_ERRC(start([](auto& o) { o.id = ""; }), errc::invalid_argument);
  CHECK_ERRC(start([](auto& o) { o.to = "two"; }), errc::invalid_argument);
  CHECK_ERRC(start([](auto& o) { o.to = "four"; }), errc::not_found);
  CHECK_ERRC(start([](auto& o) { o.places.from = 50; }), errc::invalid_argument);
  CHECK_ERRC(start([](auto& o) { o.tables.clear(); }), errc::invalid_argument);
  CHECK_ERRC(start([](auto& o) { o.tables[0].name = "nothing"; }), errc::invalid_argument);
  CHECK_ERRC(start([](auto& o) { o.tables[0].column = "colour"; }), errc::invalid_argument);
  CHECK_ERRC(start([](auto& o) { o.tables[0].ids.clear(); }), errc::invalid_argument);
  CHECK_ERRC(db::range_move::resume(shop), errc::not_found);
  CHECK_THROWS_AS(db::range_move::start(shop, order_to_three(), {.page_rows = 0}),
                  std::invalid_argument);
  db::shards own(w.clients(), by_hundreds());
  CHECK_ERRC(db::range_move::start(own, order_to_three()), errc::not_supported);

  // Rows of somebody else, or of a move that nobody knows of.
  w.three.write(sql("insert into purchase values (199, 1, 'ghost', 1)"));
  auto move = db::range_move::start(shop, order_to_three());
  const auto e = error_of([&] { move.run(); });
  CHECK(e.code() == errc::constraint_violation);
  CHECK(contains(e.what(), "'three'"));
  CHECK_ERRC(db::range_move::start(shop, order_to_three()), errc::conflict);
}

inline std::string words(db::client& of) {
  return of.read_one<std::string>(sql("select words from note"));
}

template <class World>
void refuses_ids_that_another_row_has() {
  World w;
  for (auto* each : {&w.one, &w.two, &w.three}) {
    each->run_script(
        "create table note (id bigint primary key, customer bigint not null, words text not null)");
  }
  db::shards shop = open_shop(w.clients(), w.home);
  w.two.write(sql("insert into note values (1, 150, 'of two')"));
  w.three.write(sql("insert into note values (1, 250, 'of three')"));
  auto order = order_to_three();
  order.tables = {{"note", "customer", {"id"}}};
  auto move = db::range_move::start(shop, order);

  const auto e = error_of([&] { move.run(); });

  CHECK(e.code() == errc::constraint_violation);
  CHECK(contains(e.what(), "not unique over all shards"));
  CHECK(words(w.three) == "of three");
  move.abort();
  move.run();
  CHECK(words(w.three) == "of three");
  CHECK(words(w.two) == "of two");
}

template <class World>
void a_read_of_all_needs_the_key_while_rows_lie_twice() {
  World w;
  db::shards shop = open_shop(w.clients(), w.home);
  const auto known = fill(shop);
  auto move = db::range_move::start(shop, order_to_three(), {.page_rows = 10});
  while (move.status().rows_copied < 30) {
    if (const auto pause = move.step()) std::this_thread::sleep_for(*pause);
  }
  REQUIRE(rows_of_range(w.three) == 30);

  CHECK_ERRC(shop.read_all<std::int64_t>(sql("select count(*) from purchase")), errc::not_allowed);
  CHECK(everything(shop) == known);
  // Ten of the rows that come first do not count; the limit is of those that do.
  const auto last =
      read_all(shop,
               sql("select customer, id, what, price from purchase where customer < 200"
                   " order by customer desc, id limit $1"),
               {.order_by =
                    [](const purchase& a, const purchase& b) {
                      return std::tuple(-a.customer, a.id) < std::tuple(-b.customer, b.id);
                    },
                .limit = 25,
                .key = &purchase::customer});
  REQUIRE(last.size() == 25);
  CHECK(last.front().customer == 190);
  CHECK(last.back().customer == 170);
  move.run();
  CHECK(shop.read_all<std::int64_t>(sql("select count(*) from purchase")).rows.size() == 3);
}

}  // namespace shards_test

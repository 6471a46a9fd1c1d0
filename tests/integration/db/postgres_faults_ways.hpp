#pragma once

// Calls of several statements: transactions, batches, many rows at once, COPY. Each writes all of
// its ids or none, and throws for a wrong answer.

#include "postgres_faults_callers.hpp"
#include "postgres_faults_ledger.hpp"

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace faults {

/// Each call has so many of its own.
inline constexpr int ids_per_call = 256;
/// One of them, for what is taken back.
inline constexpr int taken_back = 200;
/// Enough for a COPY.
inline constexpr int copied = 128;
inline constexpr int updated = 8;

inline std::string schema() {
  return std::string(item_schema) +
         "create table slot (id int primary key, taken bool not null);"
         "insert into slot select 256 * call + i, false"
         " from generate_series(0, 3999) call, generate_series(0, 7) i;";
}

inline db::statement made() {
  return sql("select id from written union all select id from slot where taken");
}

inline void require(bool is_right) {
  if (!is_right) throw std::runtime_error("a wrong answer");
}

inline int item_of(int first) {
  return first / ids_per_call % 1000;
}

inline std::vector<std::tuple<int>> rows_from(int first, int count) {
  std::vector<std::tuple<int>> rows;
  for (int i = 0; i < count; ++i) rows.emplace_back(first + i);
  return rows;
}

inline std::vector<std::tuple<int, bool>> slots_from(int first) {
  std::vector<std::tuple<int, bool>> rows;
  for (int i = 0; i < updated; ++i) rows.emplace_back(first + i, true);
  return rows;
}

struct change_of_mind {};

/// Writes three, and one in a savepoint that is undone.
inline void write_three(db::transaction& tx, int first, const db::call_options& each = {}) {
  tx.write(insert(first), each);
  tx.savepoint([&] { tx.write(insert(first + 1), each); });
  try {
    tx.savepoint([&] {
      tx.write(insert(first + taken_back), each);
      throw change_of_mind();
    });
  } catch (const change_of_mind&) {
  }
  require(tx.write<std::int32_t>(insert(first + 2), each) == std::vector{first + 2});
}

/// The same item, again and again.
inline void read_one_snapshot(db::transaction& tx, int first) {
  const int item = item_of(first);
  require(tx.read_one<std::int32_t>(twice_of(item)) == 2 * item);
  tx.read_each<std::int32_t>(many_twice_of(item), [&](std::int32_t n) { require(n == 2 * item); });
}

/// Writes two.
inline db::batch batch_of_writes(int first) {
  db::batch b;
  b.write(insert(first));
  b.write(insert(first + 1));
  return b;
}

/// Writes one, and reads.
struct batch_with_rows {
  explicit batch_with_rows(int written) : first(written) {}

  int first;
  db::batch batch;
  db::batch_rows<std::int32_t> id = batch.write<std::int32_t>(insert(first));
  db::batch_rows<std::int32_t> twice = batch.read<std::int32_t>(twice_of(item_of(first)));

  void check() { require(id.take_one() == first && twice.take_one() == 2 * item_of(first)); }
};

/// How a blocking call is made, and how many ids it writes.
struct way {
  int writes;
  void (*run)(db::client& client, int first, const limits& how);
};

inline constexpr way ways[] = {
    {3,
     [](db::client& client, int first, const limits& how) {
       client.transaction([&](db::transaction& tx) { write_three(tx, first); },
                          how.in<db::transaction_options>());
     }},
    {3,
     [](db::client& client, int first, const limits& how) {
       auto tx = client.begin(how.in<db::transaction_options>());
       write_three(tx, first);
       tx.commit();
     }},
    // Each statement has its own limits.
    {3,
     [](db::client& client, int first, const limits& how) {
       auto tx = client.begin();
       write_three(tx, first, how.in<db::call_options>());
       tx.commit();
     }},
    // Waits for a lock.
    {1,
     [](db::client& client, int first, const limits& how) {
       auto tx = client.begin(how.in<db::transaction_options>());
       tx.lock(first / ids_per_call % 2);
       tx.write(insert(first));
       tx.commit();
     }},
    {0,
     [](db::client& client, int first, const limits& how) {
       auto tx = client.begin(how.in<db::transaction_options>());
       tx.write(insert(first + taken_back));
       tx.rollback();
     }},
    {0,
     [](db::client& client, int first, const limits& how) {
       auto tx = client.begin(how.in<db::transaction_options>({.read_only = true}));
       read_one_snapshot(tx, first);
       tx.commit();
     }},
    {2, [](db::client& client, int first,
           const limits& how) { client.run(batch_of_writes(first), how.in<db::call_options>()); }},
    {1,
     [](db::client& client, int first, const limits& how) {
       batch_with_rows all(first);
       client.run(all.batch, how.in<db::call_options>());
       all.check();
     }},
    {copied,
     [](db::client& client, int first, const limits& how) {
       require(client.insert_many({"written", {"id"}}, rows_from(first, copied),
                                  how.in<db::insert_options>()) == copied);
     }},
    // By statements.
    {10,
     [](db::client& client, int first, const limits& how) {
       require(client.insert_many({"written", {"id"}}, rows_from(first, 10),
                                  how.in<db::insert_options>()) == 10);
     }},
    {updated,
     [](db::client& client, int first, const limits& how) {
       require(client.update_many({"slot", {"id", "taken"}}, slots_from(first),
                                  how.in(db::update_options{.key = {"id"}})) == updated);
     }},
    {copied,
     [](db::client& client, int first, const limits& how) {
       std::string text;
       for (int i = 0; i < copied; ++i) text += std::to_string(first + i) + '\n';
       std::string_view left = text;
       const auto give = [&] {
         const auto piece = left.substr(0, 100);
         left.remove_prefix(piece.size());
         return piece;
       };
       require(client.copy_in(sql("copy written from stdin"), give, how.in<db::call_options>()) ==
               copied);
     }},
    {0,
     [](db::client& client, int, const limits& how) {
       int row = 0;
       const auto take = [&](std::string_view text) {
         require(text == std::to_string(row) + '\t' + std::to_string(2 * row) + '\n');
         ++row;
       };
       require(client.copy_out(sql("copy (select id, twice from item order by id) to stdout"), take,
                               how.in<db::call_options>()) == 1000);
       require(row == 1000);
     }},
};

using ended = std::function<void(const std::exception_ptr&)>;

/// As `way`, without a thread: `then` hears of the end.
struct async_way {
  int writes;
  void (*start)(db::client& client, int first, async_caller& by, ended then);
};

/// Of a call whose result is `wanted`.
template <class Result>
auto expecting(async_caller& by, Result wanted, ended then) {
  return by.handler([wanted, then = std::move(then)](std::exception_ptr e, const Result& got) {
    if (!e) e = failure_of([&] { require(got == wanted); });
    then(e);
  });
}

inline auto nothing_to_expect(async_caller& by, ended then) {
  return by.handler(
      [then = std::move(then)](const std::exception_ptr& e, const auto&) { then(e); });
}

inline constexpr async_way async_ways[] = {
    {3,
     [](db::client& client, int first, async_caller& by, ended then) {
       client.async_transaction([first](db::transaction& tx) { write_three(tx, first); },
                                by.how().in<db::transaction_options>(),
                                nothing_to_expect(by, std::move(then)));
     }},
    {0,
     [](db::client& client, int first, async_caller& by, ended then) {
       client.async_transaction([first](db::transaction& tx) { read_one_snapshot(tx, first); },
                                by.how().in<db::transaction_options>({.read_only = true}),
                                nothing_to_expect(by, std::move(then)));
     }},
    {2,
     [](db::client& client, int first, async_caller& by, ended then) {
       client.async_run(batch_of_writes(first), by.how().in<db::call_options>(),
                        nothing_to_expect(by, std::move(then)));
     }},
    {1,
     [](db::client& client, int first, async_caller& by, ended then) {
       auto all = std::make_shared<batch_with_rows>(first);
       client.async_run(
           all->batch, by.how().in<db::call_options>(),
           nothing_to_expect(by, [all, then = std::move(then)](const std::exception_ptr& e) {
             then(e ? e : failure_of([&] { all->check(); }));
           }));
     }},
    {copied,
     [](db::client& client, int first, async_caller& by, ended then) {
       client.async_insert_many({"written", {"id"}}, rows_from(first, copied),
                                by.how().in<db::insert_options>(),
                                expecting<std::uint64_t>(by, copied, std::move(then)));
     }},
    {10,
     [](db::client& client, int first, async_caller& by, ended then) {
       client.async_insert_many({"written", {"id"}}, rows_from(first, 10),
                                by.how().in<db::insert_options>(),
                                expecting<std::uint64_t>(by, 10, std::move(then)));
     }},
    {updated,
     [](db::client& client, int first, async_caller& by, ended then) {
       client.async_update_many({"slot", {"id", "taken"}}, slots_from(first),
                                by.how().in(db::update_options{.key = {"id"}}),
                                expecting<std::uint64_t>(by, updated, std::move(then)));
     }},
    {0,
     [](db::client& client, int first, async_caller& by, ended then) {
       const int item = item_of(first);
       client.async_read_each<std::int32_t>(
           many_twice_of(item), [item](std::int32_t n) { require(n == 2 * item); },
           by.how().in<db::call_options>(), expecting<std::uint64_t>(by, 2000, std::move(then)));
     }},
};

}  // namespace faults

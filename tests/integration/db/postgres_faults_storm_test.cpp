// Thousands of calls of several statements that are stopped or late, at every point where one can
// be; and all of them with too few connections.

#include "postgres_faults_ways.hpp"

#include <iterator>
#include <string>
#include <thread>

using namespace faults;
using support::fewer_under_sanitizer;

namespace {

void call_blocking(db::client& client, ledger& book, const storm& s) {
  run_callers(s, [&](int number, const limits& how, std::mt19937& random) {
    const auto& chosen = ways[random() % std::size(ways)];
    const int first = number * ids_per_call;
    book.never(first + taken_back);
    book.note(failure_of([&] { chosen.run(client, first, how); }), {first, chosen.writes});
  });
}

void call_async(loop& l, db::client& client, ledger& book, const storm& s) {
  run_async_callers(l, s, [&](async_caller& by) {
    const auto& chosen = async_ways[by.random()() % std::size(async_ways)];
    const int first = by.number() * ids_per_call;
    book.never(first + taken_back);
    chosen.start(client, first, by,
                 [&book, what = ids{first, chosen.writes}](const auto& e) { book.note(e, what); });
  });
}

/// A savepoint for whose undoing there was no time leaves a transaction that does not go on.
constexpr auto no_way_back = errc::not_allowed;

}  // namespace

TEST_CASE("blocking transactions, batches and copies that are stopped or late leave nothing") {
  database d(schema());
  auto client = d.open(patient());
  ledger book({no_way_back});
  const storm s{.callers = 10, .calls = fewer_under_sanitizer(400), .longest = 10ms};

  call_blocking(client, book, s);

  CHECK(book.calls == s.callers * s.calls);
  book.check(client, made());
  CHECK(is_still(shared_server(), d.name()));
}

TEST_CASE("async transactions, batches and many rows that are stopped or late leave nothing") {
  database d(schema());
  loop l;
  auto client = d.open(patient(), l.execution());
  ledger book({no_way_back});
  const storm s{.callers = 20, .calls = fewer_under_sanitizer(200), .longest = 12ms};

  call_async(l, client, book, s);

  CHECK(book.calls == s.callers * s.calls);
  book.check(client, made());
  CHECK(is_still(shared_server(), d.name()));
}

TEST_CASE("callers that wait for one of a few connections and are stopped or late leave nothing") {
  for (const std::size_t connections : {1U, 2U}) {
    CAPTURE(connections);
    database d(schema());
    loop l;
    auto client = d.open(patient({.pool = {.min = 0, .max = connections}}), l.execution());
    ledger book({no_way_back});
    const storm blocking{.callers = 20, .calls = fewer_under_sanitizer(60), .longest = 40ms};
    const storm async{
        .callers = 20, .calls = fewer_under_sanitizer(60), .longest = 40ms, .first = 2000};

    std::thread beside([&] { call_blocking(client, book, blocking); });
    call_async(l, client, book, async);
    beside.join();

    CHECK(book.calls == 2 * 20 * fewer_under_sanitizer(60));
    book.check(client, made());
    CHECK(is_still(shared_server(), d.name()));
  }
}

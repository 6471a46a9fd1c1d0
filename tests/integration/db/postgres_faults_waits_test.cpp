// Calls that are stopped or late while they wait for what comes before their statement: a
// connection that is dialed, a replica that is new enough.

#include "postgres_faults_callers.hpp"
#include "postgres_faults_ledger.hpp"
#include "support/postgres/cluster.hpp"
#include "support/tcp_proxy.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace faults;
using support::fewer_under_sanitizer;
using support::postgres::cluster;

TEST_CASE("calls that end while their connection is dialed, or with their client, leave nothing") {
  database d(item_schema);
  support::tcp_proxy far(shared_server().port());
  far.set_to_client({.delay = 1ms});
  const auto url = "postgresql://postgres@127.0.0.1:" + std::to_string(far.port()) + "/" + d.name();
  ledger book({errc::closed});
  constexpr int callers = 20;
  const int rounds = fewer_under_sanitizer(80);

  for (int round = 0; round < rounds; ++round) {
    loop l;
    auto client = db::client::open(url, patient({.pool = {.min = 0, .max = 4}}), l.execution());
    const storm s{.callers = callers, .calls = 1, .longest = 30ms, .first = round * callers};
    const bool is_closed = round % 4 >= 2;
    std::thread closer([&] {
      if (!is_closed) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(round % 25));
      client.close(1ms);
    });
    if (round % 2 == 0) {
      run_callers(s, [&](int id, const limits& how, std::mt19937&) {
        book.note(failure_of([&] { client.write(insert(id), how.in<db::call_options>()); }),
                  {id, 1});
      });
    } else {
      run_async_callers(l, s, [&](async_caller& by) {
        client.async_write(insert(by.number()), by.how().in<db::call_options>(),
                           by.handler([&, what = ids{by.number(), 1}](const std::exception_ptr& e,
                                                                      const db::write_result&) {
                             book.note(e, what);
                           }));
      });
    }
    closer.join();
    if (is_closed) continue;
    CHECK(is_at_rest(client));
    CHECK(client.read_one<std::int32_t>(own_twice_of(round)) == 2 * round);
  }

  auto client = d.open(patient());
  CHECK(book.calls == rounds * callers);
  book.check(client);
  CHECK(is_still(shared_server(), d.name()));
}

namespace {

/// A primary, and a replica for reports.
struct reporting {
  cluster& of = running();

  db::client open(scalekit::execution exec) {
    auto params = patient();
    params.topology.monitor_interval = 50ms;
    params.topology.slow_start = 0ms;
    params.topology.replica_labels =
        "127.0.0.1:" + std::to_string(of.node(1).port()) + ":role=reports";
    return db::client::open(of.url(), params, std::move(exec));
  }

 private:
  static cluster& running() {
    static const auto made = [] {
      auto c = std::make_unique<cluster>(support::postgres::cluster_params{.replicas = 1});
      c->primary().exec(item_schema);
      c->wait_until_caught_up();
      return c;
    }();
    return *made;
  }
};

/// The options of a read that only the replica may serve, once it has what `token` is of.
template <class Options>
Options after(const db::causal_token& token, Options options) {
  options.consistency = db::consistency::after(token);
  options.labels = {{"role", "reports"}};
  return options;
}

db::statement count_of(int id) {
  return sql("select count(*)::int from written where id = $1", id);
}

struct known_write {
  int id;
  db::causal_token token;
};

known_write write(db::client& client, int id) {
  return {id, db::causal_token::parse(client.write(insert(id)).token())};
}

}  // namespace

TEST_CASE("reads that end while they wait for a replica to be new enough leave nothing") {
  reporting r;
  r.of.set_apply_delay(1, 20ms);
  loop l;
  auto client = r.open(l.execution());
  // Who waits for a host is told so when time is over.
  ledger book({errc::unavailable});
  const storm blocking{.callers = 20, .calls = fewer_under_sanitizer(40), .longest = 60ms};
  const storm async = blocking;
  std::mutex mutex;
  auto newest = write(client, blocking.callers * blocking.calls);
  const auto note = [&](const std::exception_ptr& failure, std::int32_t seen) {
    book.note(failure, {});
    if (!failure && seen != 1) book.wrong("a read after a token has not seen its write");
  };

  std::thread beside([&] {
    run_callers(blocking, [&](int id, const limits& how, std::mt19937&) {
      const auto made = write(client, id);
      {
        const std::lock_guard lock(mutex);
        newest = made;
      }
      std::int32_t seen = 0;
      const auto failure = failure_of([&] {
        if (id % 2 == 0) {
          seen = client.read_one<std::int32_t>(count_of(id),
                                               after(made.token, how.in<db::call_options>()));
        } else {
          auto tx =
              client.begin(after(made.token, how.in<db::transaction_options>({.read_only = true})));
          seen = tx.read_one<std::int32_t>(count_of(id));
          tx.commit();
        }
      });
      note(failure, seen);
    });
  });
  run_async_callers(l, async, [&](async_caller& by) {
    std::unique_lock lock(mutex);
    const auto [id, token] = newest;
    lock.unlock();
    if (by.number() % 2 == 0) {
      client.async_read<std::int32_t>(
          count_of(id), after(token, by.how().in<db::call_options>()),
          by.handler([&](const std::exception_ptr& e, const std::vector<std::int32_t>& rows) {
            note(e, e ? 0 : rows.at(0));
          }));
    } else {
      client.async_transaction(
          [id = id](db::transaction& tx) { return tx.read_one<std::int32_t>(count_of(id)); },
          after(token, by.how().in<db::transaction_options>({.read_only = true})),
          by.handler(note));
    }
  });
  beside.join();

  CHECK(book.calls == 2 * blocking.callers * blocking.calls);
  book.check(client);
  CHECK(is_still(r.of.node(0), "postgres"));
  CHECK(is_still(r.of.node(1), "postgres"));
  r.of.set_apply_delay(1, 0ms);
}

TEST_CASE("an async transaction that waits for a replica hears of its cancellation") {
  reporting r;
  loop l;
  auto client = r.open(l.execution());
  write(client, 1'000'000);
  r.of.wait_until_caught_up();
  r.of.pause_replay(1);
  const auto missing = write(client, 1'000'001);
  asio::cancellation_signal cancel;
  std::promise<std::exception_ptr> ended;

  l.call([&] {
    client.async_transaction(
        [](db::transaction&) {}, after(missing.token, db::transaction_options{.read_only = true}),
        asio::bind_cancellation_slot(
            cancel.slot(), [&](std::exception_ptr e, scalekit::done) { ended.set_value(e); }));
  });
  l.call([&] { cancel.emit(asio::cancellation_type::terminal); });
  auto end = ended.get_future();
  const bool in_time = end.wait_for(30s) == std::future_status::ready;
  r.of.resume_replay(1);

  CHECK(in_time);
  CHECK(scalekit::to_error(end.get()).code() == errc::cancelled);
}

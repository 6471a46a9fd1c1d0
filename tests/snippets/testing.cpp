// The code of docs/testing.md.

#undef NDEBUG  // the checks are the point

#include <scalekit/db.hpp>
#include <scalekit/testing.hpp>

#include <cassert>
#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace db = scalekit::db;
namespace testing = scalekit::testing;
using namespace std::chrono_literals;
using scalekit::errc;
using scalekit::db::sql;

//[service
// What is to be tested. It is given a client, as in production, and knows of no test.
class order_service {
 public:
  explicit order_service(db::client shop) : shop_(std::move(shop)) {
    shop_.run_script("create table if not exists orders (id text primary key, item text not null)");
  }

  /// True when the order is stored, once, however often it is placed; false: try again later.
  bool place(std::string_view id, std::string_view item) {
    try {
      shop_.write(sql("insert into orders (id, item) values ($1, $2) on conflict (id) do nothing",
                      id, item));
      return true;
    } catch (const scalekit::error& e) {
      if (outcome_unknown(e)) return item_of(id).has_value();
      if (is_transient(e)) return false;
      throw;
    }
  }

  std::optional<std::string> item_of(std::string_view id) {
    return shop_.read_optional<std::string>(sql("select item from orders where id = $1", id));
  }

 private:
  db::client shop_;
};
//]

void outage() {
  //[outage
  testing::database database;  // in memory, empty, gone at the end of the test
  order_service orders(database.client());

  auto outage = database.inject({.error = errc::unavailable, .times = testing::fault::unlimited});
  assert(!orders.place("A7", "sofa"));
  outage.remove();

  assert(!orders.item_of("A7"));
  assert(orders.place("A7", "sofa"));
  //]
}

void unknown_outcome() {
  //[unknown_outcome
  for (bool is_made : {false, true}) {
    testing::database database;
    order_service orders(database.client());
    database.inject({.on = testing::call_kind::write,
                     .text = "insert into orders",
                     .error = errc::commit_in_doubt,
                     .is_made = is_made});

    assert(orders.place("A7", "sofa") == is_made);

    assert(orders.item_of("A7").has_value() == is_made);
    assert(database.faults_left().empty());  // the fault was met
  }
  //]
}

void log() {
  testing::database database;
  order_service orders(database.client());
  //[log
  database.clear_log();
  orders.place("A7", "sofa");

  const auto log = database.log();
  assert(log.size() == 1);  // no read before the write
  assert(log[0].kind == testing::call_kind::write);
  assert(log[0].text.starts_with("insert into orders"));
  assert(log[0].binds == 2);  // never their values
  //]
}

void hold() {
  testing::database database;
  order_service orders(database.client());
  //[hold
  auto slow = database.inject({.on = testing::call_kind::write, .hold = true});
  auto placed = std::async(std::launch::async, [&] { return orders.place("A7", "sofa"); });
  assert(slow.wait_until_met());

  assert(!orders.item_of("A7"));  // what others see meanwhile
  slow.release();

  assert(placed.get());
  //]
}

void timeout() {
  //[timeout
  testing::manual_clock clock;
  testing::database database(db::client::open("sqlite::memory:"), clock);
  order_service orders(database.client());
  auto slow = database.inject({.on = testing::call_kind::write, .delay = 1min});
  auto placed = std::async(std::launch::async, [&] { return orders.place("A7", "sofa"); });
  assert(slow.wait_until_met());

  clock.advance(10s);  // statement_timeout is 5 s

  assert(!placed.get());  // errc::execution_timeout, and nobody has slept
  //]
}

int main() {
  outage();
  unknown_outcome();
  log();
  hold();
  timeout();
}

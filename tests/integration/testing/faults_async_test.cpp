#include "shop_database.hpp"
#include "support/throws_errc.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <exception>
#include <string>
#include <tuple>
#include <vector>

namespace asio = boost::asio;
namespace db = scalekit::db;
using namespace scalekit::testing;
using scalekit::errc;

TEST_CASE("asynchronous calls meet the same faults") {
  shop_database t;
  auto outage = t.database.inject({.error = errc::unavailable, .times = fault::unlimited});
  db::batch page;
  page.write(insert_item(1));
  const std::vector<std::tuple<std::int64_t, std::string>> rows{{1, "sofa"}};
  const auto body = [&](db::transaction& tx) { tx.write(insert_item(1)); };

  const auto token = asio::use_future;
  CHECK_ERRC(t.shop.async_read<std::int64_t>(count_items(), token).get(), errc::unavailable);
  CHECK_ERRC(t.shop.async_write(insert_item(1), token).get(), errc::unavailable);
  CHECK_ERRC(t.shop.async_execute(insert_item(1), token).get(), errc::unavailable);
  CHECK_ERRC(t.shop.async_run(page, token).get(), errc::unavailable);
  CHECK_ERRC(t.shop.async_transaction(body, token).get(), errc::unavailable);
  CHECK_ERRC(t.shop.async_insert_many({"item", {"id", "name"}}, rows, {}, token).get(),
             errc::unavailable);
  CHECK(outage.met() == 6);

  outage.remove();
  t.shop.async_transaction(body, token).get();
  CHECK(t.items() == 1);
}

TEST_CASE("an asynchronous write of unknown outcome was made or was not") {
  for (const bool is_made : {false, true}) {
    shop_database t;
    t.database.inject(
        {.on = call_kind::write, .error = errc::commit_in_doubt, .is_made = is_made, .times = 2});
    db::batch page;
    page.write(insert_item(2));

    CHECK_ERRC(t.shop.async_write(insert_item(1), asio::use_future).get(), errc::commit_in_doubt);
    CHECK_ERRC(t.shop.async_run(page, asio::use_future).get(), errc::commit_in_doubt);

    CHECK(t.items() == (is_made ? 2 : 0));
  }
}

TEST_CASE("an asynchronous transaction that loses is run again, as on PostgreSQL") {
  shop_database t;
  t.database.inject({.on = call_kind::commit, .error = errc::conflict, .times = 2});
  t.database.inject({.on = call_kind::begin, .every = 4, .error = errc::connection_lost});
  int runs = 0;
  const auto body = [&](db::transaction& tx) {
    ++runs;
    tx.write(insert_item(runs));
  };

  t.shop.async_transaction(body, asio::use_future).get();
  CHECK(runs == 3);
  t.shop.async_transaction(body, asio::use_future).get();

  CHECK(runs == 4);
  CHECK(t.items() == 2);
  CHECK(t.database.faults_left().empty());
}

TEST_CASE("a fault never completes a call inside the function that started it") {
  asio::io_context loop;
  shop_database t(
      db::client::open("sqlite::memory:", {}, scalekit::execution(loop.get_executor())));
  t.database.inject({.error = errc::shed, .times = 2});
  int completed = 0;

  asio::dispatch(loop, [&] {
    t.shop.async_read<std::int64_t>(
        count_items(),
        [&](std::exception_ptr e, const std::vector<std::int64_t>&) { completed += e != nullptr; });
    t.shop.async_transaction(
        [](db::transaction&) {},
        [&](std::exception_ptr e, scalekit::done) { completed += e != nullptr; });
    CHECK(completed == 0);
  });
  loop.run();

  CHECK(completed == 2);
}

TEST_CASE("a call that is held is cancelled by its token") {
  asio::io_context loop;
  shop_database t(
      db::client::open("sqlite::memory:", {}, scalekit::execution(loop.get_executor())));
  auto slow = t.database.inject({.hold = true, .times = 2});
  asio::cancellation_signal stop_read, stop_transaction;
  std::vector<std::exception_ptr> failures;

  t.shop.async_read<std::int64_t>(
      count_items(),
      asio::bind_cancellation_slot(
          stop_read.slot(),
          [&](std::exception_ptr e, const std::vector<std::int64_t>&) { failures.push_back(e); }));
  t.shop.async_transaction([](db::transaction&) {},
                           asio::bind_cancellation_slot(stop_transaction.slot(),
                                                        [&](std::exception_ptr e, scalekit::done) {
                                                          failures.push_back(e);
                                                        }));
  CHECK(slow.met() == 2);
  stop_read.emit(asio::cancellation_type::terminal);
  stop_transaction.emit(asio::cancellation_type::terminal);
  loop.run();

  REQUIRE(failures.size() == 2);
  for (const auto& e : failures) {
    REQUIRE(e != nullptr);
    CHECK(scalekit::to_error(e).code() == errc::cancelled);
  }
}

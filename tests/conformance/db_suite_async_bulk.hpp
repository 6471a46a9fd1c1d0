#pragma once

// Many rows at once, without a thread that waits.

#include "conformance/db_suite_async_many.hpp"
#include "conformance/db_suite_bulk.hpp"

#include <stop_token>
#include <tuple>
#include <utility>
#include <vector>

namespace db_suite {

TEST_CASE("db: many rows are inserted and changed without blocking") {
  loop_shop l;
  // Outside the coroutine, where g++ 12 fails on lists in braces.
  const db::insert_options skip{.conflict = db::on_conflict::skip};
  const db::bulk_target price_of{"product", {"id", "price"}};
  const db::update_options by_id{.key = {"id"}};
  const std::vector<std::tuple<std::int64_t, double>> prices{{10, 1.5}, {11, 2.5}};
  const auto all = sql("select id, name, price from product where id >= 10 order by id");

  l.tell([&]() -> asio::awaitable<void> {
    auto& client = l.s.client;
    for (const int count : {0, 7, 1000}) {
      const auto rows = products(count);
      const auto inserted = co_await client.async_insert_many("product", rows, asio::use_awaitable);
      CHECK(inserted == static_cast<std::uint64_t>(count));
      const auto found = co_await client.async_read<product>(all, asio::use_awaitable);
      CHECK(found == rows);
      co_await client.async_write(sql("delete from product where id >= 10"), asio::use_awaitable);
    }
    co_await client.async_insert_many("product", products(300), asio::use_awaitable);
    const auto added =
        co_await client.async_insert_many("product", products(310), skip, asio::use_awaitable);
    CHECK(added == 10);
    const auto changed =
        co_await client.async_update_many(price_of, prices, by_id, asio::use_awaitable);
    CHECK(changed == 2);
  }());

  CHECK(
      l.s.client.read<double>(sql("select price from product where id in (10, 11) order by id")) ==
      std::vector<double>{1.5, 2.5});
}

TEST_CASE("db: async writes of many rows are all or nothing, and fail as the blocking ones") {
  shop s;
  auto clash = products(1000);
  clash.back().name = "sofa";
  auto insert = [&](db::bulk_target into, const std::vector<product>& rows,
                    db::insert_options options) {
    return s.client.async_insert_many(std::move(into), rows, std::move(options), asio::use_future)
        .get();
  };

  CHECK_ERRC(insert("product", clash, {}), errc::constraint_violation);
  CHECK_ERRC(insert("nothing", products(200), {}), errc::invalid_statement);
  CHECK_ERRC(insert({"product", {"id"}}, products(1), {}), errc::invalid_argument);
  CHECK_ERRC(insert("product", products(1), {.conflict = db::on_conflict::update}),
             errc::invalid_argument);
  CHECK_ERRC(
      s.client.async_update_many("product", products(1), {.key = {}}, asio::use_future).get(),
      errc::invalid_argument);
  std::stop_source stop;
  stop.request_stop();
  CHECK_ERRC(insert("product", products(200), {.stop = stop.get_token()}), errc::cancelled);
  CHECK(s.count() == 2);
}

}  // namespace db_suite

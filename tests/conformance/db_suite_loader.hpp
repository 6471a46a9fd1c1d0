#pragma once

// Single keys read together.

#include "conformance/db_suite_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace db_suite {

/// A loader of products, and the keys that each of its statements asked for.
struct product_loader {
  std::mutex mutex;
  std::vector<std::vector<std::int64_t>> asked;
  db::loader<std::int64_t, product> loader;

  explicit product_loader(db::client client, db::loader_params params = {},
                          std::string from = "product")
      : loader(
            std::move(client),
            [this, from](const std::vector<std::int64_t>& ids) {
              {
                std::lock_guard lock(mutex);
                asked.push_back(ids);
              }
              std::string list;
              for (std::size_t i = 1; i <= ids.size(); ++i) {
                list += (i == 1 ? "$" : ", $") + std::to_string(i);
              }
              auto query =
                  unsafe_sql("select id, name, price from " + from + " where id in (" + list + ")");
              for (const auto id : ids) query.bind(id);
              return query;
            },
            &product::id, std::move(params)) {}

  std::size_t keys_asked() const {
    std::size_t n = 0;
    for (const auto& each : asked) n += each.size();
    return n;
  }
};

TEST_CASE("db: a key is loaded, and one that is not there is nothing") {
  shop s;
  product_loader l(s.client);

  CHECK(l.loader.load(1)->name == "sofa");
  CHECK(l.loader.load(7) == std::nullopt);
  CHECK(l.asked.size() == 2);
}

TEST_CASE("db: what handlers that are ready ask for becomes one statement, each key once") {
  boost::asio::io_context loop;
  shop s({}, scalekit::execution(loop.get_executor()));
  product_loader l(s.client);
  std::vector<std::string> names;

  for (const std::int64_t id : {1, 2, 1, 5, 2}) {
    l.loader.async_load(id, [&](std::exception_ptr e, std::optional<product> found) {
      CHECK_FALSE(e);
      names.push_back(found ? found->name : "none");
    });
  }
  loop.run();

  std::ranges::sort(names);
  CHECK(names == std::vector<std::string>{"chair", "chair", "none", "sofa", "sofa"});
  CHECK(l.asked == std::vector<std::vector<std::int64_t>>{{1, 2, 5}});
}

TEST_CASE("db: a statement has no more keys than max_keys") {
  boost::asio::io_context loop;
  shop s({}, scalekit::execution(loop.get_executor()));
  s.client.insert_many("product", std::vector<product>{{3, "a", {}}, {4, "b", {}}, {5, "c", {}}});
  product_loader l(s.client, {.max_keys = 2, .max_reads = 1});
  int found = 0;

  for (std::int64_t id = 1; id <= 5; ++id) {
    l.loader.async_load(id,
                        [&](std::exception_ptr, std::optional<product> p) { found += p ? 1 : 0; });
  }
  loop.run();

  CHECK(found == 5);
  CHECK(l.asked == std::vector<std::vector<std::int64_t>>{{1, 2}, {3, 4}, {5}});
}

TEST_CASE("db: an error reaches all who share the statement, and nobody after") {
  boost::asio::io_context loop;
  shop s({}, scalekit::execution(loop.get_executor()));
  product_loader broken(s.client, {}, "nowhere");
  int failed = 0;

  for (std::int64_t id = 1; id <= 3; ++id) {
    broken.loader.async_load(id, [&](std::exception_ptr e, std::optional<product>) {
      failed += e && scalekit::to_error(e).code() == errc::invalid_statement ? 1 : 0;
    });
  }
  loop.run();

  CHECK(failed == 3);
  CHECK_ERRC(broken.loader.load(1), errc::invalid_statement);
  s.client.run_script("create table nowhere (id bigint, name text, price double precision)");
  CHECK(broken.loader.load(1) == std::nullopt);
}

TEST_CASE("db: several rows of one key are an error of that key alone") {
  boost::asio::io_context loop;
  shop s({}, scalekit::execution(loop.get_executor()));
  s.client.run_script(
      "create table twice (id bigint, name text, price double precision);"
      "insert into twice (id, name) values (1, 'a'), (1, 'b'), (2, 'c')");
  product_loader l(s.client, {}, "twice");
  std::exception_ptr of_one, of_two;

  l.loader.async_load(1, [&](std::exception_ptr e, std::optional<product>) { of_one = e; });
  l.loader.async_load(2, [&](std::exception_ptr e, std::optional<product>) { of_two = e; });
  loop.run();

  REQUIRE(of_one);
  CHECK(scalekit::to_error(of_one).code() == errc::too_large);
  CHECK_FALSE(of_two);
}

TEST_CASE("db: threads that load at the same time share statements and all get their rows") {
  shop s;
  std::vector<product> rows;
  for (int i = 0; i < 100; ++i) rows.push_back({100 + i, "n" + std::to_string(i), {}});
  s.client.insert_many("product", rows);
  product_loader l(s.client, {.max_reads = 1});
  std::atomic<int> right{0};

  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const int n = (i * 7 + t) % 100;
        const auto found = l.loader.load(100 + n);
        right += found && found->name == "n" + std::to_string(n) ? 1 : 0;
      }
    });
  }
  for (auto& each : threads) each.join();

  CHECK(right == 400);
  CHECK(l.keys_asked() <= 400);
}

TEST_CASE("db: a cancelled load leaves the others alone") {
  boost::asio::io_context loop;
  shop s({}, scalekit::execution(loop.get_executor()));
  product_loader l(s.client);
  boost::asio::cancellation_signal signal;
  errc first{};
  std::string second;

  l.loader.async_load(1, boost::asio::bind_cancellation_slot(
                             signal.slot(), [&](std::exception_ptr e, std::optional<product>) {
                               if (e && scalekit::to_error(e).code() == errc::cancelled) {
                                 first = errc::cancelled;
                               }
                             }));
  l.loader.async_load(2, [&](std::exception_ptr, std::optional<product> p) { second = p->name; });
  signal.emit(boost::asio::cancellation_type::terminal);
  loop.run();

  CHECK(first == errc::cancelled);
  CHECK(second == "chair");
}

TEST_CASE("db: settings of a loader have ranges") {
  shop s;

  CHECK_THROWS_AS(product_loader(s.client, {.max_keys = 0}), std::invalid_argument);
  CHECK_THROWS_AS(product_loader(s.client, {.max_reads = 0}), std::invalid_argument);
}

}  // namespace db_suite

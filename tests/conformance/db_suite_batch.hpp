#pragma once

// Different statements at once.

#include "conformance/db_suite_fixture.hpp"
#include "scalekit/slow/tracker.hpp"

#include <boost/asio/use_future.hpp>

#include <memory>
#include <stop_token>
#include <string>
#include <tuple>
#include <vector>

namespace db_suite {

TEST_CASE("db: a batch runs its statements in order, each with its own result") {
  shop s;
  db::batch batch;

  auto before = batch.read<std::string>(sql("select name from product order by id"));
  auto raised = batch.write(sql("update product set price = coalesce(price, 0) + $1", 10));
  auto added = batch.write<std::int64_t>(
      sql("insert into product (id, name) values ($1, $2) returning id", 7, "desk"));
  auto sofa = batch.read<product>(sql("select id, name, price from product where id = $1", 1));
  auto none = batch.read<product>(sql("select id, name, price from product where id = 99"));
  const auto done = s.client.run(batch);

  CHECK(before.take() == std::vector<std::string>{"sofa", "chair"});
  CHECK(raised.result().rows_affected() == 2);
  CHECK(added.take_one() == 7);
  CHECK(sofa.take_one() == product{1, "sofa", 260.5});
  CHECK_FALSE(none.take_optional());
  CHECK_ERRC(none.take_one(), errc::not_found);
  CHECK(done.rows_affected() == 3);
  CHECK_FALSE(done.token().empty());
  CHECK(raised.result().token() == done.token());
  CHECK(s.count() == 3);
}

TEST_CASE("db: a batch of reads has no token, and is refused a write") {
  shop s;
  db::batch reads;
  auto names = reads.read<std::string>(sql("select name from product order by id"));
  auto count = reads.read<std::int64_t>(sql("select count(*) from product"));

  s.client.run(reads);
  CHECK(names.take().size() == 2);
  CHECK(count.take_one() == 2);

  db::batch sly;
  sly.read<std::int64_t>(sql("select count(*) from product"));
  sly.read<std::int64_t>(sql("delete from product returning id"));
  auto e = error_of([&] { s.client.run(sly); });
  CHECK(e.code() == errc::not_allowed);
  CHECK(contains(e.what(), "statement 2 of 2 of the batch: db_suite_batch.hpp:"));
  CHECK(s.count() == 2);
}

TEST_CASE("db: of a batch in which a statement fails nothing is kept") {
  for (const bool with_rows : {false, true}) {
    CAPTURE(with_rows);
    shop s;
    db::batch batch;
    auto first = batch.write(sql("insert into product (id, name) values (3, 'desk')"));
    if (with_rows) batch.read<std::int64_t>(sql("select count(*) from product"));
    batch.write(sql("insert into product (id, name) values (4, 'sofa')"));
    batch.write(sql("insert into product (id, name) values (5, 'lamp')"));

    auto e = error_of([&] { s.client.run(batch); });

    CHECK(e.code() == errc::constraint_violation);
    const std::string number = with_rows ? "statement 3 of 4" : "statement 2 of 3";
    CHECK(contains(e.what(), number + " of the batch: db_suite_batch.hpp:"));
    CHECK(s.count() == 2);
    CHECK_ERRC(first.result(), errc::not_allowed);
  }
}

TEST_CASE("db: of a batch whose rows cannot be read nothing is kept") {
  shop s;
  db::batch wrong_shape, null_value;
  wrong_shape.write(sql("insert into product (id, name) values (3, 'desk')"));
  wrong_shape.read<std::tuple<int, int>>(sql("select 1"));
  null_value.write(sql("insert into product (id, name) values (3, 'desk')"));
  null_value.read<double>(sql("select price from product"));

  auto e = error_of([&] { s.client.run(wrong_shape); });
  CHECK(e.code() == errc::column_mismatch);
  CHECK(contains(e.what(), "statement 2 of 2 of the batch"));
  e = error_of([&] { s.client.run(null_value); });
  CHECK(e.code() == errc::column_mismatch);
  CHECK(contains(e.what(), "statement 2 of 2 of the batch"));
  CHECK(s.count() == 2);
}

TEST_CASE("db: of a batch with wrong parameters, or a text that is none, nothing is kept") {
  shop s;
  db::batch few, nonsense;
  few.write(sql("insert into product (id, name) values (3, 'desk')"));
  few.write(sql("update product set price = $1 where id = $2", 1.0));
  nonsense.write(sql("insert into product (id, name) values (3, 'desk')"));
  nonsense.write(sql("update product set colour = 1"));
  nonsense.write(sql("commit"));

  auto e = error_of([&] { s.client.run(few); });
  CHECK(e.code() == errc::parameter_mismatch);
  CHECK(contains(e.what(), "statement 2 of 2 of the batch"));
  CHECK_THROWS_AS(s.client.run(nonsense), error);
  CHECK(s.count() == 2);
}

TEST_CASE("db: a batch has a first statement and a last") {
  shop s;
  db::batch batch;
  CHECK_ERRC(s.client.run(batch), errc::invalid_argument);
  CHECK_ERRC(s.client.async_run(batch, boost::asio::use_future).get(), errc::invalid_argument);

  std::vector<db::batch_rows<std::int64_t>> numbers;
  for (std::size_t i = 0; i < db::batch::max_statements; ++i) {
    numbers.push_back(batch.read<std::int64_t>(sql("select cast($1 as integer)", i)));
  }
  CHECK_ERRC(batch.write(sql("delete from product")), errc::too_large);
  s.client.run(batch);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    CHECK(numbers[i].take_one() == static_cast<std::int64_t>(i));
  }
}

TEST_CASE("db: a batch runs again, with statements that were added") {
  shop s;
  db::batch batch;
  auto raise = batch.write(sql("update product set price = coalesce(price, 0) + 1"));
  s.client.run(batch);

  auto sum = batch.read<double>(sql("select sum(price) from product"));
  CHECK_ERRC(sum.take(), errc::not_allowed);
  s.client.run(batch);
  CHECK(sum.take_one() == doctest::Approx(254.5));
  s.client.run(batch);
  CHECK(sum.take_one() == doctest::Approx(256.5));
  CHECK(raise.result().rows_affected() == 2);
}

TEST_CASE("db: a batch in a transaction is undone and committed with it") {
  shop s;
  db::batch batch;
  batch.write(sql("insert into product (id, name) values (3, 'desk')"));
  auto count = batch.read<std::int64_t>(sql("select count(*) from product"));

  {
    auto tx = s.client.begin();
    tx.run(batch);
    CHECK(count.take_one() == 3);
  }
  CHECK(s.count() == 2);

  s.client.transaction([&](db::transaction& tx) { tx.run(batch); });
  CHECK(s.count() == 3);
}

TEST_CASE("db: a batch that fails in a savepoint leaves the rest of the transaction") {
  shop s;
  db::batch batch;
  batch.write(sql("insert into product (id, name) values (3, 'desk')"));
  batch.write(sql("insert into product (id, name) values (4, 'sofa')"));

  s.client.transaction([&](db::transaction& tx) {
    tx.write(sql("insert into product (id, name) values (5, 'lamp')"));
    auto e = error_of([&] { tx.savepoint([&] { tx.run(batch); }); });
    CHECK(contains(e.what(), "statement 2 of 2 of the batch"));
    tx.write(sql("insert into product (id, name) values (6, 'shelf')"));
  });

  CHECK(s.client.read<std::int64_t>(sql("select id from product order by id")) ==
        std::vector<std::int64_t>{1, 2, 5, 6});
  auto reader = s.client.begin({.read_only = true});
  CHECK_ERRC(reader.run(batch), errc::not_allowed);
}

TEST_CASE("db: a batch that runs past its timeout, or is stopped, has changed nothing") {
  shop s;
  db::batch batch;
  batch.write(sql("insert into product (id, name) values (3, 'desk')"));
  batch.read<std::int64_t>(unsafe_sql(s.backend->endless_read()));
  std::stop_source stop;
  stop.request_stop();

  CHECK_ERRC(s.client.run(batch, {.timeout = 50ms}), errc::execution_timeout);
  CHECK_ERRC(s.client.run(batch, {.stop = stop.get_token()}), errc::cancelled);
  CHECK_ERRC(s.client.async_run(batch, {.timeout = 50ms}, boost::asio::use_future).get(),
             errc::execution_timeout);
  CHECK(s.count() == 2);
}

TEST_CASE("db: a batch without a thread of its caller's does the same") {
  shop s;
  db::batch batch, clash;
  batch.write(sql("insert into product (id, name) values (3, 'desk')"));
  auto names = batch.read<std::string>(sql("select name from product where id = 3"));
  clash.write(sql("insert into product (id, name) values (4, 'lamp')"));
  clash.write(sql("insert into product (id, name) values (5, 'sofa')"));

  const auto done = s.client.async_run(batch, boost::asio::use_future).get();
  auto e = error_of([&] { s.client.async_run(clash, boost::asio::use_future).get(); });

  CHECK(done.rows_affected() == 1);
  CHECK_FALSE(done.token().empty());
  CHECK(names.take_one() == "desk");
  CHECK(e.code() == errc::constraint_violation);
  CHECK(contains(e.what(), "statement 2 of 2 of the batch: db_suite_batch.hpp:"));
  CHECK(s.count() == 3);
  s.client.close();
  CHECK_ERRC(s.client.run(batch), errc::closed);
  CHECK_ERRC(s.client.async_run(batch, boost::asio::use_future).get(), errc::closed);
}

TEST_CASE("db: every statement of a batch reaches the tracker") {
  auto tracker = std::make_shared<scalekit::slow::tracker>();
  shop s({.tracker = tracker});
  db::batch batch;
  batch.write(sql("insert into product (id, name) values (3, 'desk')"));
  batch.write(sql("insert into product (id, name) values (4, 'sofa')"));
  batch.write(sql("delete from product"));
  const auto before = tracker->totals();

  CHECK_THROWS_AS(s.client.run(batch), error);

  CHECK(tracker->totals().calls == before.calls + 2);
  CHECK(tracker->totals().failed == before.failed + 1);
}

}  // namespace db_suite

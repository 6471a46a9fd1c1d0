// Reads that share a connection: what one of them suffers is nobody else's.

#include "postgres_faults_loop.hpp"

#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace faults;

namespace {

constexpr int items = 300;
constexpr const char* shop =
    "create table item (id int primary key, n int);"
    "insert into item select i, case i when 77 then 0 else 1 end from generate_series(0, 299) i;"
    "create table other (id int primary key);"
    "insert into other select generate_series(0, 299)";

db::statement divide(int id) {
  return sql("select id / n from item where id = $1", id);
}
db::statement other(int id) {
  return sql("select id from other where id = $1", id);
}

db::client_params one_lane() {
  return patient({.lanes = 1});
}

}  // namespace

TEST_CASE("a read that fails as it runs fails alone: those behind it get their rows") {
  database d(shop);
  loop l;
  auto client = d.open(one_lane(), l.execution());
  REQUIRE(warm_up<std::int32_t>(client, divide(1)));
  const auto before = client.statistics().shared_reads;

  auto reads = l.read_together<std::int32_t>(client, items, divide);

  for (int i = 0; i < items; ++i) {
    CAPTURE(i);
    auto& read = reads[static_cast<std::size_t>(i)];
    if (i == 77) {
      CHECK(error_of([&] { read.get(); }).diag().backend_code == "22012");
    } else {
      CHECK(read.get() == std::vector<std::int32_t>{i});
    }
  }
  CHECK(client.statistics().shared_reads == before + items);
  CHECK(is_at_rest(client));
}

TEST_CASE("large parameters keep a read out of the lanes, and many of middle size pass in turn") {
  database d(shop);
  loop l;
  auto client = d.open(one_lane(), l.execution());
  const auto length = [](std::size_t size) {
    return sql("select length($1::text)", std::string(size, 'x'));
  };
  REQUIRE(warm_up<std::int32_t>(client, length(1)));
  const auto before = client.statistics().shared_reads;

  auto one = l.read_together<std::int32_t>(client, 1, [&](int) { return length(70'000); });
  const auto large = one.at(0).get();
  const auto alone = client.statistics().shared_reads - before;
  auto reads = l.read_together<std::int32_t>(client, items, [&](int) { return length(60'000); });

  CHECK(large == std::vector<std::int32_t>{70'000});
  CHECK(alone == 0);
  for (auto& each : reads) CHECK(each.get() == std::vector<std::int32_t>{60'000});
  CHECK(client.statistics().shared_reads == before + items);
  CHECK(is_at_rest(client));
}

TEST_CASE("a large array keeps a read out of the lanes as well") {
  database d(shop);
  loop l;
  auto client = d.open(one_lane(), l.execution());
  const auto count = [](std::size_t numbers) {
    return sql("select cardinality($1::int8[])", std::vector<std::int64_t>(numbers));
  };
  REQUIRE(warm_up<std::int32_t>(client, count(1)));
  const auto before = client.statistics().shared_reads;

  auto one = l.read_together<std::int32_t>(client, 1, [&](int) { return count(10'000); });
  const auto counted = one.at(0).get();

  CHECK(counted == std::vector<std::int32_t>{10'000});
  CHECK(client.statistics().shared_reads == before);
}

TEST_CASE("a parameter that does not fit fails its own read only") {
  database d(shop);
  loop l;
  auto client = d.open(one_lane(), l.execution());
  REQUIRE(warm_up<std::int32_t>(client, divide(1)));

  auto reads = l.read_together<std::int32_t>(client, 50, [](int i) {
    if (i % 10 == 3) return sql("select id / n from item where id = $1", "no number");
    if (i % 10 == 4) return sql("select id / n from item where id = $1", std::int64_t{1} << 40);
    if (i % 10 == 5) return sql("select id / n from item where id = $1", 1, 2);
    return divide(i);
  });

  for (int i = 0; i < 50; ++i) {
    CAPTURE(i);
    auto& read = reads[static_cast<std::size_t>(i)];
    if (i % 10 >= 3 && i % 10 <= 5) {
      const auto e = error_of([&] { read.get(); });
      CHECK((e.code() == errc::parameter_mismatch || e.code() == errc::value_out_of_range));
      CHECK(contains(e.what(), "postgres_faults_lanes_test.cpp"));
    } else {
      CHECK(read.get() == std::vector<std::int32_t>{i});
    }
  }
}

TEST_CASE("reads that are stopped or late in flight take nothing from the others") {
  database d(shop);
  loop l;
  auto client = d.open(one_lane(), l.execution());
  REQUIRE(warm_up<std::int32_t>(client, other(1)));

  for (int round = 0; round < 20; ++round) {
    std::stop_source stop;
    auto good = l.read_together<std::int32_t>(client, 50, other);
    auto stopped = l.read_together<std::int32_t>(client, 50, other, {.stop = stop.get_token()});
    auto late = l.read_together<std::int32_t>(client, 50, other,
                                              {.timeout = std::chrono::microseconds(round * 20)});
    stop.request_stop();
    auto after = l.read_together<std::int32_t>(client, 50, other);

    for (int i = 0; i < 50; ++i) {
      const auto at = static_cast<std::size_t>(i);
      CHECK(good[at].get() == std::vector<std::int32_t>{i});
      CHECK(after[at].get() == std::vector<std::int32_t>{i});
      for (auto* read : {&stopped[at], &late[at]}) {
        try {
          const auto rows = read->get();
          CHECK(rows == std::vector<std::int32_t>{i});
        } catch (const error& e) {
          CHECK((e.code() == errc::cancelled || scalekit::is_timeout(e)));
        }
      }
    }
  }
  CHECK(is_at_rest(client));
}

TEST_CASE("a read that came to wait for a lock holds up the others no longer than it is wanted") {
  database d(shop);
  loop l;
  auto client = d.open(one_lane(), l.execution());
  REQUIRE(warm_up<std::int32_t>(client, divide(1)));
  REQUIRE(warm_up<std::int32_t>(client, other(1)));
  auto locker = d.open(patient());
  auto holder = locker.begin();
  holder.run_script("lock table item in access exclusive mode");

  auto blocked = l.read_together<std::int32_t>(client, 1, divide, {.timeout = 100ms});
  auto behind = l.read_together<std::int32_t>(client, 20, other);

  CHECK_ERRC(blocked.front().get(), errc::execution_timeout);
  for (int i = 0; i < 20; ++i) {
    CHECK(behind[static_cast<std::size_t>(i)].get() == std::vector<std::int32_t>{i});
  }
  // Nor does the server go on with it.
  CHECK(wait_until([&] {
    return d.query_one("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") ==
           "0";
  }));
  holder.rollback();
  CHECK(is_at_rest(client));
}

TEST_CASE("one caller's short patience is not that of those who wait for the same connection") {
  database d(shop);
  loop l;
  auto params = one_lane();
  params.pool = {.min = 0, .max = 1, .shed_target = 0s};
  auto client = d.open(params, l.execution());
  REQUIRE(warm_up<std::int32_t>(client, other(1)));
  auto holder = client.begin();

  auto hasty = l.read_together<std::int32_t>(client, 1, other, {.timeout = 30ms});
  auto calm = l.read_together<std::int32_t>(client, 5, other);

  CHECK_ERRC(hasty.front().get(), errc::acquire_timeout);
  holder.rollback();
  for (int i = 0; i < 5; ++i) {
    CHECK(calm[static_cast<std::size_t>(i)].get() == std::vector<std::int32_t>{i});
  }
}

TEST_CASE("reads of a group that a deadlock ended run once more, each by itself") {
  database d(shop);
  loop l;
  auto client = d.open(one_lane(), l.execution());
  REQUIRE(warm_up<std::int32_t>(client, divide(1)));
  REQUIRE(warm_up<std::int32_t>(client, other(1)));
  // Who waits last would find the deadlock, if he looked.
  auto locker = db::client::open(d.url() + "&options=-c%20deadlock_timeout%3D1h", patient());
  auto holder = locker.begin();
  holder.run_script("lock table item in access exclusive mode");

  auto reads =
      l.read_together<std::int32_t>(client, 2, [](int i) { return i == 0 ? other(5) : divide(6); });
  REQUIRE(wait_until([&] {
    return d.query_one("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") ==
           "1";
  }));
  holder.run_script("lock table other in access exclusive mode");
  holder.commit();

  CHECK(reads[0].get() == std::vector<std::int32_t>{5});
  CHECK(reads[1].get() == std::vector<std::int32_t>{6});
}

TEST_CASE("a change of the schema under shared statements heals") {
  database d(shop);
  loop l;
  auto client = d.open(one_lane(), l.execution());
  auto all_of = [](int id) { return sql("select * from other where id = $1", id); };
  REQUIRE(warm_up<std::int64_t>(client, all_of(1)));

  for (const auto* type : {"bigint", "int", "bigint", "int"}) {
    d.exec(std::string("alter table other alter id type ") + type);
    // Several groups that are under way together meet it.
    auto first = l.read_together<std::int64_t>(client, 40, all_of);
    auto second = l.read_together<std::int64_t>(client, 40, all_of);
    for (int i = 0; i < 40; ++i) {
      const auto at = static_cast<std::size_t>(i);
      CHECK(first[at].get() == std::vector<std::int64_t>{i});
      CHECK(second[at].get() == std::vector<std::int64_t>{i});
    }
  }
}

TEST_CASE("statements that were deallocated by somebody else are prepared anew") {
  database d(shop);
  loop l;
  auto params = one_lane();
  params.pool = {.min = 0, .max = 1, .shed_target = 0s};
  auto client = d.open(params, l.execution());
  REQUIRE(warm_up<std::int32_t>(client, other(1)));
  REQUIRE(warm_up<std::int32_t>(client, divide(1)));

  // Not by a script, whose connection nobody gets after it.
  const auto deallocate = sql("do $$ begin deallocate all; end $$");
  for (int round = 0; round < 5; ++round) {
    client.write(deallocate);
    auto reads = l.read_together<std::int32_t>(
        client, 20, [](int i) { return i % 2 == 0 ? other(i) : divide(i); });
    for (int i = 0; i < 20; ++i) {
      CHECK(reads[static_cast<std::size_t>(i)].get() == std::vector<std::int32_t>{i});
    }
    client.write(deallocate);
    CHECK(client.read_one<std::int32_t>(other(7)) == 7);
    CHECK(client.write(sql("update other set id = id where id = $1", 7)).rows_affected() == 1);
  }
}

TEST_CASE("more statements than a connection may keep take turns in a lane") {
  database d(shop);
  loop l;
  auto params = one_lane();
  params.statement_cache = 1;
  auto client = d.open(params, l.execution());
  auto numbered = [](int i) {
    return unsafe_sql("select id from other where id = $1 and " + std::to_string(i % 5) + " >= 0",
                      i);
  };
  for (int i = 0; i < 5; ++i) REQUIRE(warm_up<std::int32_t>(client, numbered(i)));

  for (int round = 0; round < 10; ++round) {
    auto reads = l.read_together<std::int32_t>(client, 60, numbered);
    for (int i = 0; i < 60; ++i) {
      CHECK(reads[static_cast<std::size_t>(i)].get() == std::vector<std::int32_t>{i});
    }
  }
}

TEST_CASE("a client that is closed settles every read of its lanes") {
  database d(shop);
  loop l;
  auto client = d.open(one_lane(), l.execution());
  REQUIRE(warm_up<std::int32_t>(client, divide(1)));
  auto locker = d.open(patient());
  auto holder = locker.begin();
  holder.run_script("lock table item in access exclusive mode");

  auto reads = l.read_together<std::int32_t>(client, 100, divide);
  client.close(20ms);

  for (auto& read : reads) CHECK_ERRC(read.get(), errc::closed);
  CHECK(is_at_rest(client));
}

TEST_CASE("reads in lanes end well when the last handle to their client goes") {
  database d(shop);
  loop l;
  auto client = std::make_unique<db::client>(d.open(one_lane(), l.execution()));
  REQUIRE(warm_up<std::int32_t>(*client, other(1)));

  auto reads = l.read_together<std::int32_t>(*client, 100, other);
  client.reset();

  for (int i = 0; i < 100; ++i) {
    CHECK(reads[static_cast<std::size_t>(i)].get() == std::vector<std::int32_t>{i});
  }
}

TEST_CASE("a client goes while a statement of its own is being proven") {
  database d(shop);

  for (int i = 0; i < 20; ++i) {
    auto client = d.open(patient());
    for (int k = 0; k < 21 + i % 3; ++k) client.read_one<std::int32_t>(other(1));
  }

  CHECK(d.query_one("select 1") == "1");
}

TEST_CASE("a client and its host's loop go while a statement is being proven") {
  database d(shop);

  for (int i = 0; i < 60; ++i) {
    loop l;
    auto client = d.open(patient(), l.execution());
    for (int k = 0; k < 21 + i % 3; ++k) {
      client.async_read<std::int32_t>(other(1), asio::use_future).get();
    }
  }

  CHECK(d.query_one("select 1") == "1");
}

TEST_CASE("a host's loop that has stopped holds up no blocking reads, nor the client's end") {
  database d(shop);
  loop l;
  auto params = patient();
  params.pool = {.min = 0, .max = 8, .shed_target = 0s};
  auto client = std::make_unique<db::client>(d.open(params, l.execution()));
  REQUIRE(warm_up<std::int32_t>(*client, other(1)));
  auto left_behind = l.read_together<std::int32_t>(*client, 1, other);
  left_behind.front().get();
  l.stop();
  auto never = client->async_read<std::int32_t>(other(2), asio::use_future);

  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) right += client->read_one<std::int32_t>(other(t)) == t ? 1 : 0;
    });
  }
  for (auto& t : threads) t.join();

  CHECK(right == 16 * 50);
  client->close(10ms);
  client.reset();
}

TEST_CASE("blocking reads of many threads share connections, with timeouts and stops") {
  database d(shop);
  auto client = d.open(patient());
  REQUIRE(warm_up<std::int32_t>(client, divide(1)));
  const auto before = client.statistics().shared_reads;
  std::atomic<int> wrong{0}, right{0};

  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      for (int i = 0; i < 150; ++i) {
        const int id = static_cast<int>(random() % items);
        std::stop_source stop;
        db::call_options options{.stop = stop.get_token()};
        std::jthread stopper;
        if (i % 10 == 0) options.timeout = std::chrono::microseconds(random() % 500);
        if (i % 10 == 1) stopper = std::jthread([stop]() mutable { stop.request_stop(); });
        try {
          (client.read_one<std::int32_t>(divide(id), options) == id ? right : wrong)++;
        } catch (const error& e) {
          const bool expected = e.code() == errc::cancelled || scalekit::is_timeout(e) ||
                                (id == 77 && e.diag().backend_code == "22012");
          if (!expected) {
            ++wrong;
            MESSAGE(e.what());
          }
        }
      }
    });
  }
  for (auto& t : threads) t.join();

  CHECK(wrong == 0);
  CHECK(right > 1000);
  CHECK(client.statistics().shared_reads > before);
  CHECK(is_at_rest(client));
}

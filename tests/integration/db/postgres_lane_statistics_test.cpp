// What a client tells of the statements that share connections, and of those that do not.

#include "postgres_faults_fixture.hpp"

#include <cstdint>

using namespace faults;

namespace {

constexpr const char* shop =
    "create table item (id int primary key); insert into item values (1);"
    "create function counted(int) returns int language plpgsql volatile as 'begin return $1; end'";

}  // namespace

TEST_CASE("lane statistics tell what shares, and why what does not does not") {
  const database d(shop);
  auto client = d.open(patient());
  REQUIRE(warm_up<std::int32_t>(client, sql("select id from item where id = $1", 1)));
  client.read<std::int32_t>(sql("select id from item where id < $1", 7));

  REQUIRE(wait_until([&] {
    client.read<std::int32_t>(sql("select counted(id) from item where id = 1"));
    return client.statistics().lanes.refused == 1;
  }));

  const auto lanes = client.statistics().lanes;
  CHECK(lanes.statements == 3);
  CHECK(lanes.proven + lanes.slow == 1);
  CHECK(lanes.unproven == 1);
  CHECK(lanes.proofs >= 2);
  REQUIRE(lanes.refusals.size() == 1);
  CHECK(lanes.refusals[0].statement == "select counted(id) from item where id = ?");
  CHECK(lanes.refusals[0].reason == "function public.counted is volatile");
}

TEST_CASE("lane_latency decides how long a read that shares a connection may take") {
  const database d(shop);
  const auto report = sql("select count(*) from generate_series(1, 200000) as n where n % 7 = 0");
  auto far_away = patient();
  far_away.lane_latency = 10s;
  auto client = d.open(far_away);
  CHECK(warm_up<std::int64_t>(client, report));

  auto nearby = patient();
  nearby.lane_latency = 100us;
  auto other = d.open(nearby);
  for (int i = 0; i < 60; ++i) other.read<std::int64_t>(report);
  CHECK(other.statistics().lanes.unproven == 1);
  CHECK(other.statistics().lanes.proofs == 0);
}

TEST_CASE("without lanes their statistics are empty") {
  const database d(shop);
  auto client = d.open(patient({.lanes = 0}));

  for (int i = 0; i < 30; ++i) client.read<std::int32_t>(sql("select id from item"));

  const auto lanes = client.statistics().lanes;
  CHECK(lanes.statements == 0);
  CHECK(lanes.proofs == 0);
}

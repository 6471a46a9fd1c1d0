// Values at the ends of what PostgreSQL and C++ can hold.

#include "postgres_fixture.hpp"
#include "support/sanitizer.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

using namespace postgres_test;
using namespace std::chrono_literals;
using scalekit::wall_time;
using support::contains;
using support::error_of;

namespace {

/// Of this process: "VmRSS:" what it has in memory, "VmHWM:" the most since forget_peak().
std::size_t bytes_of(const std::string& what) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::size_t kib = 0;
    if (word == what && status >> kib) return kib << 10;
  }
  return 0;
}
void forget_peak() {
  std::ofstream("/proc/self/clear_refs") << 5;
}

}  // namespace

TEST_CASE("an infinite time is no wall_time, in no column and no array, and is read as text") {
  auto client = database().open();

  for (const char* query :
       {"select 'infinity'::timestamptz as t", "select '-infinity'::timestamptz as t",
        "select 'infinity'::timestamp as t", "select 'infinity'::date as t"}) {
    CAPTURE(query);
    const auto e = error_of([&] { client.read_one<wall_time>(unsafe_sql(query)); });
    CHECK(e.code() == errc::value_out_of_range);
    CHECK(contains(e.what(), "'t'"));
  }
  CHECK_ERRC(client.read_one<std::vector<wall_time>>(
                 sql("select array[now(), 'infinity'::timestamptz] as t")),
             errc::value_out_of_range);
  CHECK(client.read_one<std::string>(sql("select 'infinity'::timestamptz::text")) == "infinity");
}

TEST_CASE("the first and the last time that both sides know are kept to the microsecond") {
  auto client = database().open();
  client.run_script("create table moment (id int primary key, t timestamptz not null)");
  const auto first = scalekit::from_micros(-210'866'803'200'000'000);
  const auto last = wall_time::max();

  client.write(sql("insert into moment values (1, $1), (2, $2)", first, last));

  CHECK(client.read<wall_time>(sql("select t from moment order by id")) ==
        std::vector<wall_time>{first, last});
  CHECK(client.read<std::string>(
            sql("select (t at time zone 'UTC')::text from moment order by id")) ==
        std::vector<std::string>{"4714-11-24 00:00:00 BC", "294247-01-10 04:00:54.775807"});
}

TEST_CASE("a time beyond what the other side knows is refused by name, the year 294276 as well") {
  auto client = database().open();
  client.run_script("create table moment (t timestamptz not null)");

  const auto too_early = error_of([&] {
    client.write(
        sql("insert into moment values ($1)", scalekit::from_micros(-210'866'803'200'000'001)));
  });
  client.write(sql("insert into moment values ('294276-12-31 23:59:59.999999+00')"));
  const auto too_late = error_of([&] { client.read<wall_time>(sql("select t from moment")); });

  CHECK(too_early.code() == errc::value_out_of_range);
  CHECK(contains(too_early.what(), "$1"));
  CHECK(too_late.code() == errc::value_out_of_range);
  CHECK(contains(too_late.what(), "'t'"));
  CHECK(
      contains(client.read_one<std::string>(sql("select (t at time zone 'UTC')::text from moment")),
               "294276-12-31"));
}

TEST_CASE("reals come back bit by bit, in columns of both sizes and in arrays") {
  auto client = database().open();
  client.run_script("create table value (f8 double precision, f4 real, a double precision[])");
  constexpr double tiny = std::numeric_limits<float>::denorm_min();
  constexpr double infinite = std::numeric_limits<double>::infinity();

  for (const double r :
       {-0.0, 0.0, tiny, infinite, -infinite, std::numeric_limits<double>::quiet_NaN()}) {
    CAPTURE(r);
    client.write(sql("delete from value"));
    client.write(sql("insert into value values ($1, $2, $3)", r, r, std::vector<double>{r, 1}));
    const auto [f8, f4, a] = client.read_one<std::tuple<double, float, std::vector<double>>>(
        sql("select f8, f4, a from value"));

    CHECK(std::bit_cast<std::uint64_t>(f8) == std::bit_cast<std::uint64_t>(r));
    CHECK(std::signbit(f4) == std::signbit(r));
    CHECK((std::isnan(r) ? std::isnan(f4) : double{f4} == r));
    CHECK(std::bit_cast<std::uint64_t>(a.at(0)) == std::bit_cast<std::uint64_t>(r));
  }
}

TEST_CASE("a numeric takes NaN and the infinities, and gives them as text") {
  auto client = database().open();
  client.run_script("create table value (n numeric)");
  constexpr double infinite = std::numeric_limits<double>::infinity();

  client.write(sql("insert into value values ($1), ($2), ($3)", -infinite, infinite,
                   std::numeric_limits<double>::quiet_NaN()));

  CHECK(client.read<std::string>(sql("select n from value order by n")) ==
        std::vector<std::string>{"-Infinity", "Infinity", "NaN"});
}

TEST_CASE("integers of 64 bits keep both ends, in arrays too, and an unsigned one has its limit") {
  auto client = database().open();
  const std::vector<std::int64_t> ends{std::numeric_limits<std::int64_t>::min(), -1, 0,
                                       std::numeric_limits<std::int64_t>::max()};

  CHECK(client.read_one<std::vector<std::int64_t>>(sql("select $1::bigint[]", ends)) == ends);
  CHECK(client.read<std::int64_t>(sql("select unnest($1::bigint[])", ends)) == ends);
  CHECK(client.read_one<std::int64_t>(sql("select '9223372036854775807'::xid8")) == ends.back());
  CHECK_ERRC(client.read_one<std::int64_t>(sql("select '18446744073709551615'::xid8")),
             errc::value_out_of_range);
  CHECK_ERRC(client.read_one<std::int64_t>(sql("select $1::bigint + 1", ends.back())),
             errc::value_out_of_range);
}

TEST_CASE("an empty array, an array of nulls and no array are three things") {
  auto client = database().open();
  client.run_script("create table list (id int primary key, n bigint[], t text[])");
  using numbers = std::vector<std::optional<std::int64_t>>;
  using texts = std::vector<std::string>;
  using row = std::tuple<int, std::optional<numbers>, std::optional<texts>>;
  const std::vector<row> rows{{1, numbers{}, texts{}},
                              {2, numbers{1, std::nullopt}, texts{"", "NULL", "a,\"b\\c{} "}},
                              {3, std::nullopt, std::nullopt}};

  for (const auto& [id, n, t] : rows) {
    client.write(sql("insert into list values ($1, $2, $3)", id, n, t));
  }

  CHECK(client.read<row>(sql("select id, n, t from list order by id")) == rows);
  CHECK(client.read<int>(sql("select id from list where id = any($1)", std::vector<std::int64_t>{}))
            .empty());
}

TEST_CASE("a NUL is refused in an element of an array, and in rows that are copied") {
  auto client = database().open();
  client.run_script("create table note (id int primary key, t text)");
  const std::string torn("a\0b", 3);

  const auto element = error_of([&] {
    client.read<std::string>(
        sql("select unnest($1::text[])", std::vector<std::string>{"whole", torn}));
  });
  std::vector<std::tuple<int, std::string>> notes;
  for (int i = 0; i < 200; ++i) notes.emplace_back(i, i == 150 ? torn : "whole");
  CHECK_ERRC(client.insert_many({"note", {"id", "t"}}, notes), errc::value_out_of_range);
  CHECK_ERRC(client.read<std::string>(sql("select '\"\\u0000\"'::jsonb")),
             errc::value_out_of_range);

  CHECK(element.code() == errc::value_out_of_range);
  CHECK(contains(element.what(), "$1, element 2"));
  CHECK(client.read_one<std::int64_t>(sql("select count(*) from note")) == 0);
}

TEST_CASE("a field of 256 MB is refused by its size where it must not be read, and else is whole") {
  const database d;
  constexpr std::size_t size = std::size_t{256} << 20;
  const auto large = sql("select repeat('x', 268435456) as text");
  auto strict = d.open();
  auto generous = d.open({.max_value_bytes = size});
  strict.read<int>(sql("select 1"));
  forget_peak();
  const auto before = bytes_of("VmRSS:");

  const auto e = error_of([&] { strict.read<std::string>(large, {.timeout = 5min}); });

  CHECK(e.code() == errc::too_large);
  CHECK(contains(e.what(), "'text' holds a value of 268435456 bytes; max_value_bytes is 67108864"));
  if (!support::under_sanitizer) {
    // libpq receives it and makes a result of it. Its buffer stays as long as the connection.
    CHECK(bytes_of("VmHWM:") < before + size * 9 / 4);
    CHECK(bytes_of("VmRSS:") < before + size * 5 / 4);
  }
  CHECK(strict.read_one<int>(sql("select 1")) == 1);
  const auto whole = generous.read_one<std::string>(large, {.timeout = 5min});
  CHECK(whole.size() == size);
  CHECK(whole.find_first_not_of('x') == std::string::npos);
}

TEST_CASE("a field beyond the server's own limit of 1 GB is too large, and the next read is made") {
  auto client = database().open({.max_value_bytes = 1'000'000'000});

  const auto e = error_of([&] { client.read<std::string>(sql("select repeat('x', 1073741824)")); });

  CHECK(e.code() == errc::too_large);
  CHECK(e.diag().backend_code == "54000");
  CHECK(client.read_one<int>(sql("select 1")) == 1);
}

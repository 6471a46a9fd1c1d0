#include "postgres/bulk.hpp"

#include "harness.hpp"
#include "scalekit/db.hpp"
#include "support/postgres/installation.hpp"
#include "support/postgres/process.hpp"
#include "support/temp_directory.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace bench::postgres {

namespace db = scalekit::db;
namespace fixture = support::postgres;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

constexpr int row_count = 1'000'000;
constexpr std::int64_t streamed_rows = 10'000'000;

using event = std::tuple<std::int32_t, std::string, scalekit::wall_time>;

std::int64_t micros_of(int i) {
  return 1'700'000'000'000'000LL + i * 1'000'003LL;
}

const std::vector<event>& rows() {
  static const auto made = [] {
    std::vector<event> out;
    out.reserve(row_count);
    for (int i = 0; i < row_count; ++i) {
      out.emplace_back(i, "event number " + std::to_string(i), scalekit::from_micros(micros_of(i)));
    }
    return out;
  }();
  return made;
}

double rows_per_second(steady_clock::time_point start) {
  const std::chrono::duration<double> took = steady_clock::now() - start;
  return row_count / took.count();
}

/// "VmRSS" or "VmHWM" (the most so far), in MiB.
double memory(const std::string& what) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == what + ":") {
      double kib = 0;
      status >> kib;
      return kib / 1024;
    }
  }
  throw std::runtime_error("/proc/self/status has no " + what);
}

void forget_peak() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

}  // namespace

fixture::server& bulk_load::running() {
  if (!running_) {
    running_ = std::make_unique<fixture::server>(
        fixture::server_params{.fsync = true,
                               .more = {{"shared_buffers", "512MB"},
                                        {"max_wal_size", "8GB"},
                                        {"checkpoint_timeout", "15min"}}});
    running_->exec("create table event (id int, text text, at timestamptz)");
  }
  return *running_;
}

void bulk_load::empty_table() {
  running().exec("truncate event");
  running().exec("checkpoint");
}

double bulk_load::insert_many() {
  empty_table();
  auto client = db::client::open(running().socket_url());
  client.read_one<int>(db::sql("select 1"));
  const auto& all = rows();
  const auto start = steady_clock::now();
  const auto done = client.insert_many({"event", {"id", "text", "at"}}, all, {.timeout = 5min});
  const auto rate = rows_per_second(start);
  if (done != all.size()) throw std::runtime_error("not all rows were inserted");
  return rate;
}

double bulk_load::psql_copy() {
  static const support::temp_directory room;
  const auto file = room.file("event.csv");
  if (!std::filesystem::exists(file)) {
    // As the server itself would write it.
    running().exec("insert into event select i, 'event number ' || i, to_timestamp((" +
                   std::to_string(micros_of(0)) +
                   " + i::bigint * 1000003) / 1e6) from generate_series(0, " +
                   std::to_string(row_count - 1) + ") i");
    auto client = db::client::open(running().socket_url());
    std::ofstream out(file);
    client.copy_out(db::sql("copy event to stdout (format csv)"),
                    [&](std::string_view row) { out << row; }, {.timeout = 5min});
  }
  empty_table();
  std::vector<std::string> command{fixture::program("psql"),
                                   "-X",
                                   "-q",
                                   "-h",
                                   running().socket_dir(),
                                   "-p",
                                   std::to_string(running().port()),
                                   "-U",
                                   "postgres",
                                   "-c",
                                   "\\copy event from '" + file + "' (format csv)",
                                   "postgres"};
  const auto start = steady_clock::now();
  fixture::run(command, false);
  return rows_per_second(start);
}

double bulk_load::stream_growth() {
  auto client = db::client::open(running().socket_url());
  client.read_one<int>(db::sql("select 1"));
  forget_peak();
  const auto before = memory("VmRSS");
  std::int64_t sum = 0;
  const auto read = client.read_each<event>(
      db::sql("select i, 'event number ' || i, to_timestamp(i) from generate_series(1, $1::int) i",
              streamed_rows),
      [&](event row) { sum += std::get<0>(row); }, {.timeout = 10min});
  bench::keep(sum);
  if (read != streamed_rows) throw std::runtime_error("not all rows were read");
  return memory("VmHWM") - before;
}

}  // namespace bench::postgres

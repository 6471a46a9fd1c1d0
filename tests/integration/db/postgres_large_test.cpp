// What is larger than the client, the protocol or the server takes.

#include "postgres_fixture.hpp"
#include "support/sanitizer.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <tuple>
#include <unistd.h>
#include <vector>

using namespace postgres_test;
using namespace std::chrono_literals;
using boost::asio::use_future;
using support::contains;
using support::error_of;

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

/// As much text as one likes, made of the same MiB of memory.
class endless_text {
 public:
  explicit endless_text(std::size_t mibs) : size_(mibs * mib) {
    const int file = ::memfd_create("x", MFD_CLOEXEC);
    const std::string all(mib, 'x');
    bool ok = file >= 0 && ::write(file, all.data(), mib) == static_cast<ssize_t>(mib);
    at_ = ::mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ok = ok && at_ != MAP_FAILED;
    for (std::size_t i = 0; ok && i < mibs; ++i) {
      ok = ::mmap(static_cast<char*>(at_) + i * mib, mib, PROT_READ, MAP_SHARED | MAP_FIXED, file,
                  0) != MAP_FAILED;
    }
    ::close(file);
    if (!ok) throw std::runtime_error("no memory to map");
  }
  ~endless_text() { ::munmap(at_, size_); }
  endless_text(const endless_text&) = delete;
  endless_text& operator=(const endless_text&) = delete;

  std::string_view first(std::size_t bytes) const { return {static_cast<const char*>(at_), bytes}; }

 private:
  std::size_t size_;
  void* at_;
};

/// A pool of one connection, which is to stay the same.
struct one_connection {
  database d;
  db::client client;
  int server_process;

  explicit one_connection(db::client_params params = {}) : client(open(std::move(params))) {
    client.run_script("create table note (id int, text text, data bytea)");
    server_process = process();
  }

  db::client open(db::client_params params) const {
    params.pool.min = params.pool.max = 1;
    params.lanes = 0;
    return d.open(std::move(params));
  }
  int process() { return client.read_one<int>(sql("select pg_backend_pid()")); }
  void check_goes_on() {
    CHECK(process() == server_process);
    CHECK(client.read_one<std::int64_t>(sql("select count(*) from note")) == 0);
    CHECK(client.statistics().writer.closed.broken == 0);
  }
};

}  // namespace

TEST_CASE("a parameter above max_value_bytes is refused by the limit's name, however it is sent") {
  one_connection at;
  constexpr std::size_t limit = 64 * mib;
  const endless_text x(65);
  const std::string_view large = x.first(limit + 1);
  const auto insert = sql("insert into note values (1, $1)", large);
  const auto read = sql("select length($1)", large);
  const auto blob = sql("insert into note values (1, '', $1)",
                        std::as_bytes(std::span(large.data(), large.size())));
  const auto is_told = [](const scalekit::error& e) {
    CHECK(e.code() == errc::too_large);
    CHECK(contains(e.what(), "$1 is larger than max_value_bytes, 67108864"));
  };

  is_told(error_of([&] { at.client.write(insert); }));
  is_told(error_of([&] { at.client.write(blob); }));
  is_told(error_of([&] { at.client.read<int>(read); }));
  is_told(error_of([&] { at.client.async_write(insert, use_future).get(); }));
  is_told(error_of([&] { at.client.async_read<int>(read, use_future).get(); }));
  is_told(error_of([&] { at.client.transaction([&](db::transaction& tx) { tx.write(insert); }); }));
  is_told(error_of([&] {
    db::batch batch;
    batch.write(insert);
    at.client.run(batch);
  }));

  at.check_goes_on();
}

TEST_CASE(
    "rows above max_value_bytes are refused by it, those that go by COPY too, and none stays") {
  one_connection at({.max_value_bytes = 4096});
  for (const std::size_t count : {20U, 200U}) {
    CAPTURE(count);
    std::vector<std::tuple<int, std::string>> rows;
    for (std::size_t i = 0; i < count; ++i) rows.emplace_back(static_cast<int>(i), "small");
    std::get<1>(rows[count - 3]) = std::string(4097, 'x');

    const auto e = error_of([&] { at.client.insert_many({"note", {"id", "text"}}, rows); });

    CHECK(e.code() == errc::too_large);
    CHECK(contains(e.what(), " is larger than max_value_bytes, 4096"));
    at.check_goes_on();
    std::get<1>(rows[count - 3]).pop_back();
    CHECK(at.client.insert_many({"note", {"id", "text"}}, rows) == count);
    at.client.write(sql("delete from note"));
  }
}

TEST_CASE("a row by COPY that is larger than what goes at once arrives whole") {
  one_connection at;
  const endless_text x(20);
  std::vector<std::tuple<int, std::string_view>> rows(100, {1, "small"});
  std::get<1>(rows[50]) = x.first(20 * mib - 7);

  CHECK(at.client.insert_many({"note", {"id", "text"}}, rows, {.timeout = 5min}) == 100);

  CHECK(at.client.read<std::int64_t>(
            sql("select length(text)::int8 from note where replace(text, 'x', '') = ''")) ==
        std::vector<std::int64_t>{20 * mib - 7});
}

TEST_CASE("parameters that are too large for one message together are refused by its limit") {
  if (support::under_sanitizer) {
    MESSAGE("left out: a gigabyte takes several under a sanitizer");
    return;
  }
  one_connection at({.statement_timeout = 5min, .max_value_bytes = 1'000'000'000});
  const endless_text x(954);
  auto insert = sql("insert into note values (1, $1, $2)");
  // The small one first: what both are kept in grows by half at least.
  insert.bind(x.first(80 * mib));
  const auto rest = x.first(1'000'000'000);
  insert.bind(std::as_bytes(std::span(rest.data(), rest.size())));

  const auto e = error_of([&] { at.client.write(insert); });

  CHECK(e.code() == errc::too_large);
  CHECK(contains(e.what(), "larger than 1072693248 bytes in all"));
  at.check_goes_on();
}

TEST_CASE("what the server cannot hold of parameters that it took is too large as well") {
  if (support::under_thread_sanitizer) {
    MESSAGE("left out: a minute of copying under ThreadSanitizer");
    return;
  }
  one_connection at({.statement_timeout = 5min, .max_value_bytes = 128 * mib});
  const endless_text x(100);
  const auto hundred = x.first(100 * mib);
  const auto is_told = [](const scalekit::error& e, const char* state, const char* words) {
    CHECK(e.code() == errc::too_large);
    CHECK(e.diag().backend_code == state);
    CHECK(contains(e.diag().server_message, words));
  };

  is_told(error_of([&] {
            at.client.read<int>(
                sql("select length(row(x, x, x, x, x, x, x, x, x, x, x)::text)"
                    " from (select $1::text as x offset 0) s",
                    hundred));
          }),
          "XX000", "invalid memory alloc request size");
  is_told(error_of([&] {
            at.client.write(sql("insert into note values (1, repeat($1, 11))", hundred));
          }),
          "54000", "requested length too large");

  at.check_goes_on();
}

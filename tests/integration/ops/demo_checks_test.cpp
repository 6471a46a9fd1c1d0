// The demo's audit must see what goes wrong: a check that cannot fail proves nothing.

#include "checks.hpp"

#include <scalekit/db/client.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdlib.h>
#include <string>
#include <vector>

namespace fs = std::filesystem;
using demo::check;
using scalekit::db::unsafe_sql;

namespace {

/// A shop in which one order of three pieces was placed, and all that follows was done.
class small_shop {
 public:
  small_shop() {
    std::string name = (fs::temp_directory_path() / "scalekit-demo-XXXXXX").string();
    dir = ::mkdtemp(name.data());
    for (auto* part : {"outbox", "reports", "backups"}) fs::create_directory(dir / part);
    std::ostringstream schema;
    schema << std::ifstream(SCALEKIT_STOREFRONT_SCHEMA).rdbuf();
    run(schema.str());
    run("insert into product values (1, 'bolt', '1', 'steel', 'm', 'd', 1, 100, 50, 47)");
    run("insert into retailer values (1, 'r', 'r@example')");
    run("insert into orders values (7, 1, 0, 300, 'p7', 'i7', 'e7')");
    run("insert into order_line values (7, 1, 1, 3, 100)");
    run("insert into payment values ('p7', 7, 300, 0)");
    run("insert into inventory_movement values ('i7', 1, 7, -3, 0)");
    run("insert into outbox values ('e7', 7, 0)");
    run("insert into backup values ('b1', 1, 0)");
    write("outbox/e7.eml");
    write("backups/b1.db");
    book.add_order(R"({"order_id":7,"jobs":{"payment":"p7","inventory":"i7","email":"e7"}})");
    book.add_job("backup", R"({"job_id":"b1"})");
  }
  ~small_shop() { fs::remove_all(dir); }

  void run(const std::string& script) {
    auto db = scalekit::db::client::open("sqlite://" + (dir / "shop.db").string());
    db.run_script(script);
    db.close();
  }
  void write(const std::string& file) const { std::ofstream(dir / file) << "x"; }

  /// The promises that were broken.
  std::vector<std::string> broken() const {
    std::vector<std::string> promises;
    for (const auto& one : demo::check_books("shop", dir, book, at_end, true)) {
      if (!one.holds) promises.push_back(one.promise);
    }
    return promises;
  }

  fs::path dir;
  demo::ledger book;
  demo::server_stats at_end;
};

demo::phase_result run_with(double goodput, std::chrono::milliseconds p99) {
  demo::phase_result result;
  result.load.duration = std::chrono::seconds(10);
  result.load.kinds.resize(2);
  result.load.kinds[0].goodput = goodput;
  result.load.kinds[0].latency.p99 = p99;
  result.load.kinds[1].counts.due = 100;
  result.load.kinds[1].counts.limited = 90;
  return result;
}

std::size_t broken(const std::vector<check>& checks) {
  std::size_t n = 0;
  for (const auto& one : checks) n += one.holds ? 0U : 1U;
  return n;
}

}  // namespace

TEST_CASE("books in order keep every promise") {
  small_shop shop;

  CHECK(shop.broken().empty());
}

TEST_CASE("an acknowledged order that is not there is seen") {
  small_shop shop;
  shop.book.add_order(R"({"order_id":8,"jobs":{"payment":"p8","inventory":"i8","email":"e8"}})");

  CHECK(shop.broken() == std::vector<std::string>{
                             "shop: no acknowledged order was lost, and no number given twice"});
}

TEST_CASE("an acknowledgement that says nothing is seen") {
  small_shop shop;
  shop.book.add_order("{}");

  CHECK(shop.broken().size() == 1);
}

TEST_CASE("a lost effect is seen, whichever it is") {
  for (auto* table : {"payment", "inventory_movement", "outbox"}) {
    CAPTURE(std::string(table));
    small_shop shop;
    shop.run(std::string("delete from ") + table);

    CHECK(shop.broken().at(0) == "shop: no job of an order was lost: payment, inventory, email");
  }
}

TEST_CASE("a second mail or movement is seen") {
  small_shop mailed;
  mailed.write("outbox/e7b.eml");
  CHECK(mailed.broken().size() == 1);

  small_shop moved;
  moved.run("insert into inventory_movement values ('i7b', 1, 7, -3, 0)");
  CHECK(moved.broken().size() == 2);  // twice, and more than was sold
}

TEST_CASE("a second payment is seen") {
  small_shop shop;
  // The shop's own table forbids it: the check does not rely on that.
  shop.run("create table copied as select * from payment; drop table payment");
  shop.run("alter table copied rename to payment");
  CHECK(shop.broken().empty());

  shop.run("insert into payment values ('p7b', 7, 300, 0)");

  CHECK(shop.broken() ==
        std::vector<std::string>{"shop: no payment, mail or movement happened twice, by job id"});
}

TEST_CASE("a backup that nobody asked for, and a report that is not there, are seen") {
  const std::vector<std::string> promise{
      "shop: every report and backup that was asked for exists, once"};
  small_shop stray;
  stray.write("backups/b2.db");
  CHECK(stray.broken() == promise);

  small_shop lost;
  lost.book.add_job("report", R"({"job_id":"r1"})");
  CHECK(lost.broken() == promise);
  lost.run("insert into report values ('r1', 1, 0)");
  CHECK(lost.broken() == promise);
  lost.write("reports/r1.csv");
  CHECK(lost.broken().empty());
}

TEST_CASE("a backup without its file, and a file without its job, are seen") {
  small_shop missing;
  fs::remove(missing.dir / "backups/b1.db");
  CHECK(missing.broken().size() == 1);

  small_shop unfinished;
  unfinished.write("reports/r1.csv.tmp");
  CHECK(unfinished.broken().size() == 1);
}

TEST_CASE("stock that does not add up is seen") {
  small_shop shop;
  shop.run("update product set stock = 48");

  CHECK(shop.broken() ==
        std::vector<std::string>{"shop: the stock adds up, and is nowhere negative"});
}

TEST_CASE("jobs that are left or dead are seen") {
  small_shop shop;
  shop.at_end.jobs_dead = 1;

  CHECK(shop.broken() == std::vector<std::string>{"shop: every job is done, none is dead"});
}

TEST_CASE("the runs are compared") {
  using std::chrono::milliseconds;
  auto b = run_with(100, milliseconds(500));
  auto c = run_with(150, milliseconds(10));
  auto d = run_with(149, milliseconds(12));

  CHECK(broken(check_runs(b, c, d)) == 0);
  CHECK(broken(check_runs(c, b, b)) == 2);  // neither goodput nor p99
  CHECK(broken(check_runs(b, c, run_with(140, milliseconds(12)))) == 1);
  auto unlimited = d;
  unlimited.load.kinds[1].counts.limited = 0;
  CHECK(broken(check_runs(b, c, unlimited)) == 1);
  auto spoilt = d;
  spoilt.load.kinds[1].counts.ok = 10'000;
  CHECK(broken(check_runs(b, c, spoilt)) == 1);
  auto limited = c;
  limited.load.kinds[0].counts.limited = 1;
  CHECK(broken(check_runs(b, limited, d)) == 1);
}

TEST_CASE("the exit code tells a broken promise from a run that was not faster") {
  const check kept{true, "", ""};
  const check slower{false, "", "", check::kind::comparison};
  const check lost{false, "", ""};

  CHECK(demo::exit_code({}) == 0);
  CHECK(demo::exit_code({kept, kept}) == 0);
  CHECK(demo::exit_code({slower, kept}) == 3);
  CHECK(demo::exit_code({slower, lost, slower}) == 1);
}

TEST_CASE("runs are compared, books are promises") {
  auto run = run_with(100, std::chrono::milliseconds(10));
  for (const auto& one : check_runs(run, run, run)) {
    CAPTURE(one.promise);
    CHECK(one.is == check::kind::comparison);
  }
  small_shop shop;
  for (const auto& one : demo::check_books("shop", shop.dir, shop.book, shop.at_end, true)) {
    CAPTURE(one.promise);
    CHECK(one.is == check::kind::promise);
  }
}

TEST_CASE("a demo that takes longer than it says is seen") {
  CHECK(demo::check_time(std::chrono::seconds(179)).holds);
  CHECK_FALSE(demo::check_time(std::chrono::seconds(180)).holds);
}

TEST_CASE("an error that a customer was told of when a replica died is seen") {
  auto run = run_with(100, std::chrono::milliseconds(10));
  run.load.kinds[0].counts.timeouts = 3;
  CHECK(demo::check_loss(run, "a replica").holds);

  run.load.kinds[0].counts.server_errors = 1;
  CHECK_FALSE(demo::check_loss(run, "a replica").holds);
}

TEST_CASE("a page that shows what is not so any more is seen") {
  small_shop shop;
  const std::string now = R"({"id":1,"price_cents":100,"stock":47})";
  CHECK(demo::check_pages("shop", shop.dir, {now}).holds);
  CHECK_FALSE(demo::check_pages("shop", shop.dir, {}).holds);
  for (const auto* old :
       {R"({"id":1,"price_cents":100,"stock":50})", R"({"id":1,"price_cents":99,"stock":47})"}) {
    CHECK_FALSE(demo::check_pages("shop", shop.dir, {now, old}).holds);
  }
}

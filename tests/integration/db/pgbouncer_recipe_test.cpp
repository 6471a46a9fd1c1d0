// The recipe for PgBouncer in docs/db.md, run as it stands there but for addresses and files.

#include "scalekit/db.hpp"
#include "support/postgres/installation.hpp"
#include "support/postgres/process.hpp"
#include "support/postgres/run_directory.hpp"
#include "support/postgres/server.hpp"
#include "support/reserved_port.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace db = scalekit::db;
using namespace std::chrono_literals;
using scalekit::db::sql;

namespace {

/// The indented lines from `first` on, up to the next line of prose.
std::string recipe_from(const std::string& first) {
  std::ifstream page(SCALEKIT_SOURCE_DIR "/docs/db.md");
  std::string recipe;
  bool is_inside = false;
  for (std::string line; std::getline(page, line);) {
    is_inside = is_inside ? line.empty() || line.starts_with("    ") : line == "    " + first;
    if (is_inside) recipe += (line.empty() ? line : line.substr(4)) + "\n";
    if (!is_inside && !recipe.empty()) break;
  }
  return recipe;
}

void put_in_place(std::string& text, const std::string& of, const std::string& what) {
  const auto at = text.find(of);
  CAPTURE(of);
  REQUIRE(at != std::string::npos);
  text.replace(at, of.size(), what);
}

/// The URL of the docs' snippet.
std::string documented_url() {
  std::ifstream file(SCALEKIT_SOURCE_DIR "/tests/snippets/postgres.cpp");
  std::ostringstream all;
  all << file.rdbuf();
  const auto text = all.str();
  const auto region = text.find("//[pooler");
  REQUIRE(region != std::string::npos);
  const auto begin = text.find("\"postgresql://", region) + 1;
  return text.substr(begin, text.find('"', begin) - begin);
}

}  // namespace

TEST_CASE("the recipe for PgBouncer in the docs works as it stands") {
  support::postgres::server server({.password = "of postgres"});
  server.exec("create role app login password 'of app'");
  server.create_database("shop");
  server.exec(
      "create table stock (id int primary key, left_over int not null); "
      "insert into stock select i, 0 from generate_series(1, 10) i; "
      "grant all on stock to app",
      "shop");
  support::reserved_port port;
  support::postgres::run_directory directory;
  std::ofstream(directory / "userlist.txt") << "\"app\" \"of app\"\n";

  auto ini = recipe_from("[databases]");
  put_in_place(ini, "host=10.0.0.1 port=5432",
               "host=127.0.0.1 port=" + std::to_string(server.port()));
  put_in_place(ini, "6432", std::to_string(port.number()));
  put_in_place(ini, "/etc/pgbouncer/userlist.txt", directory / "userlist.txt");
  // Debian's own file has one more line that a second PgBouncer on a machine cannot share.
  std::ofstream(directory / "pgbouncer.ini")
      << ini << "unix_socket_dir = " << directory.path().string() << "\n";
  directory.watch(support::postgres::spawn(
      {.command = {support::postgres::pgbouncer_program(), directory / "pgbouncer.ini"},
       .output = directory / "log"}));

  auto url = documented_url();
  put_in_place(url, "app@", "app:of%20app@");
  put_in_place(url, "6432", std::to_string(port.number()));
  auto shop = db::client::open(url, {.statement_timeout = 30s, .acquire_timeout = 30s});
  // It is not there at once.
  const bool is_there = support::wait_until([&] {
    try {
      return shop.read_one<std::string>(sql("select current_user::text")) == "app";
    } catch (const scalekit::error&) {
      return false;
    }
  });
  CAPTURE(support::postgres::tail_of(directory / "log"));
  REQUIRE(is_there);

  constexpr int callers = 60;
  std::atomic<int> wrong{0};
  std::vector<std::thread> all;
  for (int c = 0; c < callers; ++c) {
    all.emplace_back([&, id = 1 + c % 10] {
      for (int i = 0; i < 20; ++i) {
        try {
          shop.write(sql("update stock set left_over = left_over + 1 where id = $1", id));
          if (shop.read_one<int>(sql("select id from stock where id = $1", id)) != id) ++wrong;
        } catch (const scalekit::error& e) {
          MESSAGE(e.what());
          ++wrong;
        }
      }
    });
  }
  for (auto& each : all) each.join();

  CHECK(wrong == 0);
  CHECK(server.query_one("select sum(left_over) from stock", "shop") ==
        std::to_string(callers * 20));
  CHECK(shop.statistics().hosts.front().behind_pooler);
  // default_pool_size, where more would have liked to.
  CHECK(std::stoi(
            server.query_one("select count(*) from pg_stat_activity where usename = 'app'")) <= 24);
}

#include "catalogue/import.hpp"

#include "schema.hpp"
#include "support/storefront/http_client.hpp"
#include "support/storefront/process.hpp"

#include <scalekit/db/client.hpp>

#include <boost/json/object.hpp>
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace {

using namespace storefront_test;
using scalekit::db::sql;

std::string log_of(const std::filesystem::path& dir) {
  std::ifstream in(dir / "stderr.log");
  return {std::istreambuf_iterator<char>(in), {}};
}

/// As long as it lives, `apt-cache` is this shell script, also for processes that are started.
class fake_apt {
 public:
  explicit fake_apt(const std::string& script) : path_before_(std::getenv("PATH")) {
    const auto file = dir_.path() / "apt-cache";
    std::ofstream(file) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    ::setenv("PATH", (dir_.path().string() + ":" + path_before_).c_str(), 1);
  }
  ~fake_apt() { ::setenv("PATH", path_before_.c_str(), 1); }
  fake_apt(const fake_apt&) = delete;
  fake_apt& operator=(const fake_apt&) = delete;

 private:
  temporary_directory dir_;
  std::string path_before_;
};

/// The tables of a shop, with nothing in them.
struct empty_shop {
  empty_shop() { db.run_script(storefront::schema_for(db.dialect())); }

  temporary_directory dir;
  scalekit::db::client db =
      scalekit::db::client::open("sqlite://" + (dir.path() / "shop.db").string());
};

TEST_CASE("the catalogue is imported at the first start only, and SIGTERM ends with code 0") {
  temporary_directory dir;
  {
    process first(dir.path(), {"--catalogue", "generated:50"});
    CHECK(first.terminate() == 0);
  }
  CHECK(log_of(dir.path()).find("50 products (generated)") != std::string::npos);
  CHECK(log_of(dir.path()).find("importing") != std::string::npos);
  std::filesystem::remove(dir.path() / "stderr.log");

  process second(dir.path(), {"--catalogue", "generated:70"});

  CHECK(log_of(dir.path()).find("importing") == std::string::npos);
  http_client customer(second.port());
  CHECK(customer.get("/products/50").status == 200);
  CHECK(customer.get("/products/51").status == 404);
}

TEST_CASE("an import that was killed half-way is done again") {
  temporary_directory dir;
  { process first(dir.path(), {"--catalogue", "generated:50"}); }
  {
    // What a kill between two batches leaves: some products, and no record of a complete import.
    auto db = scalekit::db::client::open("sqlite://" + (dir.path() / "shop.db").string());
    db.write(sql("delete from catalogue_import"));
    db.write(sql("delete from past_sale"));
    db.write(sql("delete from dependency where product_id > 20"));
    db.write(sql("delete from product where id > 20"));
  }

  process second(dir.path(), {"--catalogue", "generated:60"});

  http_client customer(second.port());
  CHECK(customer.get("/products/60").status == 200);
  CHECK(customer.get("/retailers/1/dashboard").status == 200);
  CHECK(second.terminate() == 0);
}

TEST_CASE("what apt-cache tells becomes the catalogue, each package once") {
  const fake_apt apt(R"(cat <<'end'
Package: bolt
Version: 1.0
Section: steel
Maintainer: Factory <factory@example>
Description: A bolt
Depends: nut (>= 2), washer

Package: nut
Version: 2.0
Section: steel

Package: bolt
Version: 0.9
Section: steel
end
)");
  empty_shop shop;

  storefront::import_catalogue(shop.db, storefront::parse_catalogue_choice("apt"));

  using row = std::tuple<std::int64_t, std::string, std::string, std::string>;
  CHECK(shop.db.read<row>(sql("select id, name, version, category from product order by id")) ==
        std::vector<row>{{1, "bolt", "1.0", "steel"}, {2, "nut", "2.0", "steel"}});
  CHECK(shop.db.read<std::string>(
            sql("select depends_on from dependency where product_id = 1 order by position")) ==
        std::vector<std::string>{"nut", "washer"});
  CHECK(shop.db.read_one<std::string>(sql("select source from catalogue_import")) == "apt");
}

TEST_CASE("the index is taken before the generator, and the generator where there is no index") {
  storefront::catalogue_choice choice;
  choice.count = 30;
  const auto source = sql("select source || ' ' || products from catalogue_import");
  {
    const fake_apt apt("printf 'Package: bolt\\nVersion: 1\\nSection: steel\\n\\n'");
    empty_shop shop;
    storefront::import_catalogue(shop.db, choice);
    CHECK(shop.db.read_one<std::string>(source) == "apt 1");
  }
  for (const auto* nothing : {"exit 0", "exit 127"}) {
    CAPTURE(nothing);
    const fake_apt apt(nothing);
    empty_shop shop;
    storefront::import_catalogue(shop.db, choice);
    CHECK(shop.db.read_one<std::string>(source) == "generated 30");
  }
}

TEST_CASE("a shop that is to sell the index does not start where there is none") {
  const fake_apt apt("exit 0");
  temporary_directory dir;

  CHECK_THROWS(process(dir.path(), {"--catalogue", "apt"}));

  CHECK(log_of(dir.path()).find("--catalogue apt: apt-cache has no records") != std::string::npos);
}

TEST_CASE("an index that breaks off is no catalogue, and the next start begins anew") {
  empty_shop shop;
  {
    const fake_apt apt("printf 'Package: bolt\\nVersion: 1\\nSection: steel\\n\\n'; exit 100");
    CHECK_THROWS_WITH_AS(storefront::import_catalogue(shop.db, {}),
                         doctest::Contains("failed after 1 records"), std::runtime_error);
  }
  CHECK(shop.db.read_one<std::int64_t>(sql("select count(*) from catalogue_import")) == 0);

  storefront::import_catalogue(shop.db, storefront::parse_catalogue_choice("generated:10"));

  CHECK(shop.db.read_one<std::int64_t>(sql("select count(*) from product")) == 10);
}

TEST_CASE("in mode direct an order is complete when it is acknowledged") {
  temporary_directory dir;
  process shop(dir.path(), {"--catalogue", "generated:50", "--mode", "direct"});
  http_client customer(shop.port());

  auto placed = customer.post("/orders", R"({"retailer":1,"lines":[{"product":3,"quantity":2}]})");

  REQUIRE(placed.status == 201);
  auto order = customer.get(placed.header("Location")).json();
  CHECK(order["paid"] == true);
  CHECK(order["picked"] == true);
  CHECK(order["confirmed"] == true);
  CHECK(customer.get("/products/3").status == 200);
  CHECK(customer.post("/admin/jobs", R"({"kind":"report"})").status == 202);
  CHECK(customer.get("/stats").json()["mode"] == "direct");
  CHECK(shop.terminate() == 0);
}

TEST_CASE("a command line that makes no sense is refused") {
  temporary_directory dir;

  for (auto* wrong : {"--catalogue=nothing", "--mode=fast", "--threads=0", "--sync=maybe"}) {
    CAPTURE(wrong);
    CHECK_THROWS(process(dir.path(), {wrong}));
  }
}

}  // namespace

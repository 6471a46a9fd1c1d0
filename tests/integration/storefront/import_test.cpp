#include "support/storefront/http_client.hpp"
#include "support/storefront/process.hpp"

#include <scalekit/db/client.hpp>

#include <boost/json/object.hpp>
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace {

using namespace storefront_test;
using scalekit::db::sql;

std::string log_of(const std::filesystem::path& dir) {
  std::ifstream in(dir / "stderr.log");
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_CASE("the catalogue is imported at the first start only, and SIGTERM ends with code 0") {
  temporary_directory dir;
  {
    process first(dir.path(), {"--catalogue", "generated:50"});
    CHECK(first.terminate() == 0);
  }
  CHECK(log_of(dir.path()).find("50 products (generated)") != std::string::npos);
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

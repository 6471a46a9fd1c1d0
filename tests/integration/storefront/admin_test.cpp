#include "running_shop.hpp"

#include <boost/json/array.hpp>
#include <doctest/doctest.h>

#include <filesystem>

namespace {

using namespace storefront_test;

std::int64_t done(const reply& stats, std::string_view kind) {
  auto root = stats.json();
  auto* counts = root["queue"].at("kinds").as_object().if_contains(kind);
  return counts == nullptr ? 0 : counts->at("done").to_number<std::int64_t>();
}

TEST_CASE("an operator starts housekeeping jobs, and their files appear") {
  http_client operator_here(running_shop().port());
  struct row {
    std::string kind;
    std::filesystem::path dir;
    std::string suffix;
  };

  for (const auto& [kind, dir, suffix] :
       {row{"report", "reports", ".csv"}, row{"backup", "backups", backup_extension()},
        row{"cache_cleanup", "", ""}}) {
    CAPTURE(kind);
    auto before = done(operator_here.get("/stats"), kind);
    auto answer = operator_here.post("/admin/jobs", R"({"kind":")" + kind + R"("})");
    REQUIRE(answer.status == 202);
    auto after =
        get_until(operator_here, "/stats", [&](const reply& r) { return done(r, kind) > before; });
    CHECK(done(after, kind) == before + 1);
    if (dir.empty()) continue;
    auto job = std::string(answer.json()["job_id"].as_string());
    CHECK(std::filesystem::exists(shop_directory() / dir / (job + suffix)));
  }
}

TEST_CASE("a customer cannot start them nor see the statistics, and nobody can start other kinds") {
  http_client customer(running_shop().port(), "10.5.0.1");
  http_client operator_here(running_shop().port());

  CHECK(customer.post("/admin/jobs", R"({"kind":"backup"})").status == 403);
  CHECK(customer.get("/stats").status == 403);
  CHECK(operator_here.post("/admin/jobs", R"({"kind":"payment"})").status == 400);
  CHECK(operator_here.post("/admin/jobs", R"({"kind":7})").status == 400);
}

TEST_CASE("the shop says that it lives and that it serves") {
  http_client probe(running_shop().port());

  CHECK(probe.get("/healthz").status == 200);
  CHECK(probe.get("/readyz").status == 200);
}

TEST_CASE("the statistics show all five parts, and the page with one query a row") {
  http_client customer(running_shop().port(), "10.5.0.2");
  // Related products are looked up one by one; asked for often enough, it is a finding.
  for (int id = 1; id <= 60; ++id) {
    customer.get("/products/" + std::to_string(id) + "/related");
    customer.get("/products/1");
  }

  auto stats = http_client(running_shop().port()).get("/stats").json();

  CHECK(stats["mode"] == "full");
  CHECK(stats["requests"].at("ok").to_number<int>() > 0);
  CHECK(stats["database"].at("statements").to_number<int>() > 0);
  CHECK(stats["cache"].at("hit_ratio").to_number<double>() > 0);
  CHECK(stats["limiter"].at("client").at("memory_bytes").to_number<int>() > 0);
  CHECK(stats["queue"].at("enabled") == true);
  CHECK(stats["slow_statements"].as_array().size() == 5);
  CHECK(!stats["slow_statements"].as_array()[0].at("sql").as_string().empty());
  REQUIRE(!stats["n_plus_one"].as_array().empty());
  auto finding = stats["n_plus_one"].as_array()[0].as_object();
  CHECK(finding["request"] == "GET /products/:product/related");
}

}  // namespace

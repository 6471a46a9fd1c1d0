// The shop on a disk that is full, or that has damaged its database.

#include "shop_audit.hpp"
#include "support/may_mount.hpp"
#include "support/storefront/http_client.hpp"
#include "support/storefront/process.hpp"
#include "support/wait_until.hpp"
#include "waiting.hpp"

#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <sys/mount.h>
#include <tuple>
#include <vector>

namespace {

using namespace storefront_test;
using scalekit::db::sql;
namespace fs = std::filesystem;

const std::vector<std::string> small{"--catalogue", "generated:40",  "--sync",
                                     "normal",      "--client-rate", "100000"};

std::string log_of(const fs::path& dir) {
  std::ifstream in(dir / "stderr.log");
  return {std::istreambuf_iterator<char>(in), {}};
}

bool is_storage_problem(const reply& answer) {
  return answer.status == 503 && answer.header("Retry-After") == "10" &&
         answer.json()["type"] == "/problems/storage";
}

/// One who orders one piece at a time.
class buyer {
 public:
  explicit buyer(std::uint16_t port) : client_(port, "10.8.0.1") {}

  reply order() {
    auto answer = client_.post("/orders", R"({"retailer":1,"lines":[{"product":1,"quantity":1}]})");
    if (answer.status != 201) return answer;
    auto placed = answer.json();
    auto job = [&](const char* kind) { return std::string(placed["jobs"].at(kind).as_string()); };
    acknowledged.push_back(
        {placed["order_id"].as_int64(), job("payment"), job("inventory"), job("email")});
    return answer;
  }

  /// Orders until the shop has no place for one more. The last answer.
  reply order_until_full() {
    reply answer;
    for (int i = 0; i < 5000; ++i) {
      answer = order();
      // Busy is not full.
      if (answer.status != 201 && answer.json()["type"] != "/problems/busy") return answer;
    }
    return answer;
  }

  /// Whether the shop still shows what it has, also pages that nobody has asked for before.
  bool can_look() {
    const std::array pages{"/products/1",      "/products/2",         "/products?category=libs",
                           "/search?prefix=s", "/products/3/related", "/retailers/2/dashboard"};
    for (const auto* page : pages) {
      CAPTURE(page);
      auto answer = client_.get(page);
      CHECK(answer.status == 200);
      if (answer.status != 200) return false;
    }
    return true;
  }

  std::vector<acknowledged_order> acknowledged;

 private:
  http_client client_;
};

/// The books must be in order, and no order lost that was acknowledged before or after.
void check_books(const fs::path& dir, const std::vector<acknowledged_order>& acknowledged) {
  shop_audit audit(dir);
  CHECK(audit.lost(acknowledged) == "");
  CHECK(audit.done_twice() == "");
  CHECK(audit.miscounted() == "");
  CHECK(audit.orders() == static_cast<std::int64_t>(acknowledged.size()));
}

/// A file system of so many bytes at `path`, when we may have one.
class small_disk {
 public:
  small_disk(const fs::path& path, const char* size) : path_(path) {
    mounted_ = ::mount("tmpfs", path.c_str(), "tmpfs", 0, size) == 0;
  }
  ~small_disk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  bool is_mounted() const { return mounted_; }

  /// Writes until nothing more fits.
  void fill() const {
    std::ofstream out(filler(), std::ios::binary | std::ios::app);
    for (std::size_t piece : {std::size_t{65536}, std::size_t{1}}) {
      out.clear();
      const std::string bytes(piece, 'x');
      while (out.write(bytes.data(), static_cast<std::streamsize>(piece)).flush()) continue;
    }
  }
  void empty() const { fs::remove(filler()); }

 private:
  fs::path filler() const { return path_ / "filler"; }

  fs::path path_;
  bool mounted_ = false;
};

TEST_CASE(
    "a shop that may not grow shows what it has, takes no order, and goes on with more room") {
  temporary_directory dir;
  const auto file = dir.path() / "shop.db";
  {
    process shop(dir.path(), small);
    REQUIRE(shop.terminate() == 0);
  }
  std::vector<acknowledged_order> acknowledged;
  {
    auto arguments = small;
    arguments.insert(arguments.end(),
                     {"--database", "sqlite://" + file.string() + "?max_database_bytes=" +
                                        std::to_string(fs::file_size(file) + 32'768)});
    process shop(dir.path(), arguments);
    buyer customer(shop.port());

    auto refused = customer.order_until_full();

    CHECK(is_storage_problem(refused));
    CHECK(customer.can_look());
    http_client probe(shop.port());
    CHECK(probe.get("/healthz").status == 200);
    CHECK(probe.get("/readyz").status == 200);
    CHECK(log_of(dir.path()).find("storefront.request.failed") != std::string::npos);
    acknowledged = customer.acknowledged;
    CHECK(!acknowledged.empty());
    CHECK(shop.terminate() == 0);
  }

  {
    process shop(dir.path(), small);
    buyer customer(shop.port());
    CHECK(customer.order().status == 201);
    acknowledged.push_back(customer.acknowledged.front());
    http_client observer(shop.port());
    CHECK(
        support::wait_until([&] { return has_no_jobs_left(observer); }, std::chrono::seconds(90)));
    CHECK(shop.terminate() == 0);
  }

  check_books(dir.path(), acknowledged);
}

TEST_CASE(
    "a shop on a full disk shows what it has, takes no order, and goes on when there is room") {
  temporary_directory dir;
  const small_disk disk(dir.path(), "size=24m");
  if (!support::may_mount(disk.is_mounted())) return;
  process shop(dir.path(), small);
  buyer customer(shop.port());
  REQUIRE(customer.order().status == 201);
  disk.fill();

  auto refused = customer.order_until_full();

  CHECK(is_storage_problem(refused));
  CHECK(customer.can_look());

  disk.empty();
  CHECK(customer.order().status == 201);
  http_client observer(shop.port());
  CHECK(support::wait_until([&] { return has_no_jobs_left(observer); }, std::chrono::seconds(90)));
  CHECK(observer.get("/stats").json()["queue"].at("dead") == 0);
  CHECK(shop.terminate() == 0);
  check_books(dir.path(), customer.acknowledged);
}

TEST_CASE("a shop whose orders are damaged goes on showing its products, and says so") {
  temporary_directory dir;
  {
    process shop(dir.path(), small);
    REQUIRE(shop.terminate() == 0);
  }
  const auto file = dir.path() / "shop.db";
  std::int64_t page = 0;
  std::int64_t page_size = 0;
  {
    auto db = scalekit::db::client::open("sqlite://" + file.string());
    page =
        db.read_one<std::int64_t>(sql("select rootpage from sqlite_schema where name = 'orders'"));
    page_size = db.read_one<std::int64_t>(sql("pragma page_size"));
    db.close();
  }
  {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp((page - 1) * page_size);
    bytes << std::string(static_cast<std::size_t>(page_size), '\xff');
  }

  process shop(dir.path(), small);
  http_client customer(shop.port(), "10.8.0.2");
  auto before = customer.get("/products/1");
  REQUIRE(before.status == 200);
  buyer unlucky(shop.port());

  CHECK(is_storage_problem(unlucky.order()));
  CHECK(is_storage_problem(customer.get("/orders/1")));

  CHECK(customer.get("/products/1").body == before.body);
  CHECK(customer.get("/products/2").status == 200);
  CHECK(log_of(dir.path()).find("stored data is damaged") != std::string::npos);
  CHECK(shop.terminate() == 0);
}

TEST_CASE("a shop whose database is none does not start, and says why") {
  temporary_directory dir;
  std::ofstream(dir.path() / "shop.db") << std::string(8192, 'g');

  CHECK_THROWS(process(dir.path(), small));

  auto log = log_of(dir.path());
  CAPTURE(log);
  CHECK(log.find("stored data is damaged") != std::string::npos);
  CHECK(log.find((dir.path() / "shop.db").string()) != std::string::npos);
}

TEST_CASE("a shop that may not write to its database does not start, and says why") {
  temporary_directory dir;
  {
    process shop(dir.path(), small);
    REQUIRE(shop.terminate() == 0);
  }
  auto arguments = small;
  arguments.insert(arguments.end(),
                   {"--database", "sqlite://" + (dir.path() / "shop.db").string() + "?mode=ro"});

  CHECK_THROWS(process(dir.path(), arguments));

  CHECK(log_of(dir.path()).find("backend is read-only") != std::string::npos);
}

}  // namespace

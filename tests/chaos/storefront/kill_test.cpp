#include "shop_audit.hpp"
#include "support/storefront/http_client.hpp"
#include "support/storefront/process.hpp"
#include "support/wait_until.hpp"
#include "waiting.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

namespace {

using namespace storefront_test;

constexpr std::int64_t products = 40;

/// Customers who order as fast as they can, until they are told to stop.
class customers {
 public:
  explicit customers(std::uint16_t port) {
    for (int i = 0; i < 4; ++i) threads_.emplace_back([this, port, i] { shop(port, i); });
  }

  ~customers() { leave(); }

  void leave() {
    leaving_ = true;
    for (auto& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }

  std::size_t acknowledged() {
    std::lock_guard lock(mutex_);
    return orders_.size();
  }

  /// Call leave() first.
  const std::vector<acknowledged_order>& orders() const { return orders_; }
  const std::vector<acknowledged_job>& jobs() const { return jobs_; }

 private:
  void shop(std::uint16_t port, int number) {
    http_client client(port, "10.9.0." + std::to_string(number));
    http_client operator_here(port);
    for (std::int64_t i = number; !leaving_; ++i) {
      auto answer = client.post("/orders", body(i));
      // Without an answer nothing was promised: the order may exist, and must then be whole.
      if (answer.status == 0) return;
      if (answer.status != 201) continue;
      if (number == 0 && i % 5 == 0) start_job(operator_here, i % 2 == 0 ? "report" : "backup");
      auto placed = answer.json();
      auto job = [&](const char* kind) { return std::string(placed["jobs"].at(kind).as_string()); };
      std::lock_guard lock(mutex_);
      orders_.push_back(
          {placed["order_id"].as_int64(), job("payment"), job("inventory"), job("email")});
    }
  }

  void start_job(http_client& operator_here, const std::string& kind) {
    auto answer = operator_here.post("/admin/jobs", R"({"kind":")" + kind + R"("})");
    if (answer.status != 202) return;
    std::lock_guard lock(mutex_);
    jobs_.push_back({kind, std::string(answer.json()["job_id"].as_string())});
  }

  static std::string body(std::int64_t i) {
    auto line = [](std::int64_t product, std::int64_t quantity) {
      return R"({"product":)" + std::to_string(1 + product % products) + R"(,"quantity":)" +
             std::to_string(quantity) + "}";
    };
    return R"({"retailer":)" + std::to_string(1 + i % 200) + R"(,"lines":[)" + line(i, 1 + i % 3) +
           "," + line(i * 7, 2) + "]}";
  }

  std::atomic<bool> leaving_ = false;
  std::mutex mutex_;
  std::vector<acknowledged_order> orders_;
  std::vector<acknowledged_job> jobs_;
  std::vector<std::thread> threads_;
};

TEST_CASE("a shop killed under load keeps what it acknowledged, and does it once") {
  temporary_directory dir;
  const std::vector<std::string> arguments{"--catalogue", "generated:" + std::to_string(products),
                                           "--client-rate", "100000"};
  std::vector<acknowledged_order> acknowledged;
  std::vector<acknowledged_job> started;
  for (int round = 0; round < 3; ++round) {
    process shop(dir.path(), arguments);
    customers crowd(shop.port());
    REQUIRE(
        support::wait_until([&] { return crowd.acknowledged() >= 150; }, std::chrono::seconds(20)));

    shop.kill();

    crowd.leave();
    acknowledged.insert(acknowledged.end(), crowd.orders().begin(), crowd.orders().end());
    started.insert(started.end(), crowd.jobs().begin(), crowd.jobs().end());
  }
  {
    process shop(dir.path(), arguments);
    http_client observer(shop.port());
    // The jobs that died with their workers run again when those are known to be dead.
    CHECK(
        support::wait_until([&] { return has_no_jobs_left(observer); }, std::chrono::seconds(60)));
    CHECK(observer.get("/stats").json()["queue"].at("dead") == 0);
    CHECK(shop.terminate() == 0);
  }

  shop_audit audit(dir.path());

  CHECK(audit.lost(acknowledged) == "");
  CHECK(started.size() >= 6);
  CHECK(audit.lost(started) == "");
  CHECK(audit.done_twice() == "");
  CHECK(audit.miscounted() == "");
  CHECK(audit.orders() >= static_cast<std::int64_t>(acknowledged.size()));
}

}  // namespace

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace demo {

/// What one server has acknowledged, and so must not lose.
class ledger {
 public:
  struct order {
    std::int64_t id = 0;
    std::string payment_job;
    std::string inventory_job;
    std::string email_job;
  };
  struct job {
    std::string kind;
    std::string id;
  };

  /// The answer to POST /orders. What is not one is counted as unreadable.
  void add_order(std::string_view body);

  /// The answer to POST /admin/jobs.
  void add_job(std::string_view kind, std::string_view body);

  const std::vector<order>& orders() const noexcept { return orders_; }
  const std::vector<job>& jobs() const noexcept { return jobs_; }

  /// Answers with 2xx that did not name what they acknowledge: there must be none.
  std::size_t unreadable() const noexcept { return unreadable_; }

 private:
  std::vector<order> orders_;
  std::vector<job> jobs_;
  std::size_t unreadable_ = 0;
};

}  // namespace demo

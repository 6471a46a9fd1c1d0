#pragma once

#include "scalekit/db/detail/backend.hpp"
#include "testing/gate.hpp"

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <source_location>
#include <stop_token>
#include <vector>

namespace scalekit::testing::detail {

using db::detail::access;

/// A statement, or those of a batch, as they are logged.
logged_call logged(access kind, const db::statement& query, bool in_transaction);
std::vector<logged_call> logged(const db::detail::batch_members& members, bool in_transaction);

/// A driver behind a gate.
class faulty_backend final : public db::detail::backend,
                             public std::enable_shared_from_this<faulty_backend> {
 public:
  faulty_backend(std::shared_ptr<gate> g, std::shared_ptr<db::detail::backend> driver) noexcept
      : gate_(std::move(g)), driver_(std::move(driver)) {}

  db::write_result run(access kind, const db::statement& query, const db::call_options& options,
                       db::detail::row_sink* rows) override;
  void async_run(access kind, db::statement&& query, db::call_options&& options,
                 std::shared_ptr<db::detail::async_call> call) override;
  db::write_result run(const db::detail::batch_members& members, const db::call_options& options,
                       const std::source_location& site) override;
  void async_run(db::detail::batch_members members, db::call_options&& options,
                 const std::source_location& site,
                 std::shared_ptr<db::detail::async_call> call) override;
  access kind_of(const db::statement& query) override { return driver_->kind_of(query); }
  bool is_write_after_all(const db::statement& query, const error& e) override;
  std::unique_ptr<db::detail::transaction_backend> begin(const db::transaction_options& options,
                                                         const std::source_location& site) override;
  void async_begin(db::transaction_options options, const std::source_location& site,
                   std::shared_ptr<db::detail::async_transaction_call> call) override;
  bool is_retryable(const error& e) const noexcept override;
  std::chrono::nanoseconds statement_timeout() const noexcept override {
    return driver_->statement_timeout();
  }
  std::chrono::nanoseconds transaction_timeout() const noexcept override {
    return driver_->transaction_timeout();
  }
  void call_after(std::chrono::nanoseconds pause, std::function<void()> then) override {
    driver_->call_after(pause, std::move(then));
  }
  db::dialect dialect() const noexcept override { return driver_->dialect(); }
  void close(std::chrono::nanoseconds timeout) override { driver_->close(timeout); }
  db::client_statistics statistics() const override { return driver_->statistics(); }
  const scalekit::execution& execution() const noexcept override { return driver_->execution(); }

 private:
  patience patience_of(const db::call_options& options, const std::source_location& site,
                       std::stop_token also_stop) const;
  patience patience_of(const db::transaction_options& options, const std::source_location& site,
                       std::stop_token also_stop) const;
  std::unique_ptr<db::detail::transaction_backend> behind_gate(
      std::unique_ptr<db::detail::transaction_backend> tx, patience limits) const;
  /// Calls `start(driver, call)` when the gate lets it pass.
  template <class Start>
  void async_pass(std::vector<logged_call> asked, patience limits,
                  std::shared_ptr<db::detail::async_call> call, Start start);

  class begun_call;

  const std::shared_ptr<gate> gate_;
  const std::shared_ptr<db::detail::backend> driver_;
};

}  // namespace scalekit::testing::detail

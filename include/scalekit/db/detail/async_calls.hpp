#pragma once

#include "scalekit/core/async.hpp"
#include "scalekit/db/batch.hpp"
#include "scalekit/db/detail/backend.hpp"
#include "scalekit/db/detail/transaction_attempts.hpp"
#include "scalekit/db/transaction.hpp"

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <vector>

// What joins a completion handler to a driver.

namespace scalekit::db::detail {

template <class T>
using pending = scalekit::detail::pending<T>;

/// Completes with the rows of a statement.
template <class Row>
class rows_call final : public async_call {
 public:
  explicit rows_call(std::shared_ptr<pending<std::vector<Row>>> op) : op_(std::move(op)) {}

  row_sink* rows() noexcept override { return &rows_; }
  std::stop_token stop() const noexcept override { return op_->stop_token(); }
  void finish(std::exception_ptr e, write_result) noexcept override {
    auto rows = e ? std::vector<Row>{} : rows_.take();
    op_->complete(std::move(e), std::move(rows));
  }

 private:
  std::shared_ptr<pending<std::vector<Row>>> op_;
  scalekit::detail::row_collector<Row> rows_;
};

/// Completes with the result of a write.
class write_call final : public async_call {
 public:
  explicit write_call(std::shared_ptr<pending<write_result>> op) : op_(std::move(op)) {}

  row_sink* rows() noexcept override { return nullptr; }
  std::stop_token stop() const noexcept override { return op_->stop_token(); }
  void finish(std::exception_ptr e, write_result done) noexcept override {
    op_->complete(std::move(e), std::move(done));
  }

 private:
  std::shared_ptr<pending<write_result>> op_;
};

/// Completes with the result of a batch.
class batch_call final : public async_call {
 public:
  batch_call(std::shared_ptr<pending<write_result>> op, batch_members members)
      : op_(std::move(op)), members_(std::move(members)) {}

  row_sink* rows() noexcept override { return nullptr; }
  std::stop_token stop() const noexcept override { return op_->stop_token(); }
  void finish(std::exception_ptr e, write_result done) noexcept override {
    if (!e) detail::finish(members_, done);
    op_->complete(std::move(e), std::move(done));
  }

 private:
  std::shared_ptr<pending<write_result>> op_;
  const batch_members members_;
};

/// A body's result as a completion can carry it: void becomes scalekit::done.
template <class Body>
using body_result =
    std::conditional_t<std::is_void_v<std::invoke_result_t<Body&, transaction&>>, done,
                       std::decay_t<std::invoke_result_t<Body&, transaction&>>>;

/// Runs `body` in `tx` and commits.
template <class Body>
body_result<Body> run_and_commit(transaction& tx, Body& body) {
  if constexpr (std::is_void_v<std::invoke_result_t<Body&, transaction&>>) {
    body(tx);
    tx.commit();
    return {};
  } else {
    auto result = body(tx);
    tx.commit();
    return result;
  }
}

/// Completes with what a body returned in its transaction.
template <class Body>
class body_call final : public async_transaction_call,
                        public std::enable_shared_from_this<body_call<Body>> {
 public:
  using result_type = body_result<Body>;

  body_call(std::shared_ptr<pending<result_type>> op, Body body, std::shared_ptr<backend> driver,
            transaction_options options, const std::source_location& site)
      : op_(std::move(op)),
        body_(std::move(body)),
        driver_(std::move(driver)),
        options_(std::move(options)),
        attempts_(options_, std::chrono::steady_clock::now()),
        site_(site) {}

  void start() { driver_->async_begin(attempts_.options(), site_, this->shared_from_this()); }

  std::stop_token stop() const noexcept override { return op_->stop_token(); }

  void run(std::unique_ptr<transaction_backend> begun) noexcept override {
    std::optional<result_type> result;
    std::exception_ptr failure;
    try {
      transaction tx(std::move(begun));
      result.emplace(run_and_commit(tx, body_));
    } catch (...) {
      failure = std::current_exception();
    }
    // The connection is back in its pool by now, so that the handler may use it.
    if (failure) return fail(std::move(failure));
    driver_.reset();
    op_->complete(nullptr, std::move(*result));
  }

  void fail(std::exception_ptr e) noexcept override {
    auto verdict = judge(attempts_, *driver_, std::move(e));
    if (verdict.failure) return end(std::move(verdict.failure));
    try {
      driver_->call_after(*verdict.pause, [self = this->shared_from_this()] { self->again(); });
    } catch (...) {
      end(std::current_exception());
    }
  }

 private:
  void again() noexcept {
    try {
      start();
    } catch (...) {
      end(std::current_exception());
    }
  }

  void end(std::exception_ptr e) noexcept {
    driver_.reset();
    op_->complete(std::move(e), result_type{});
  }

  std::shared_ptr<pending<result_type>> op_;
  Body body_;
  /// Let go before the answer, with which the host may end its loop and the client: a driver that
  /// were still alive here would then close its connections in a loop that is gone.
  std::shared_ptr<backend> driver_;
  const transaction_options options_;
  transaction_attempts attempts_;
  const std::source_location site_;
};

}  // namespace scalekit::db::detail

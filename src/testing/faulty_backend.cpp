#include "testing/faulty_backend.hpp"

#include "db/call_site.hpp"
#include "scalekit/core/execution.hpp"
#include "scalekit/db/batch.hpp"
#include "testing/faulty_transaction.hpp"
#include "testing/injected_error.hpp"

#include <boost/asio/post.hpp>

#include <string>
#include <utility>

namespace scalekit::testing::detail {
namespace {

using db::detail::async_call;
using db::detail::async_transaction_call;
using db::detail::batch_members;
using db::detail::describe;

/// Fails after all: what it did is done.
class doubtful_call final : public async_call {
 public:
  doubtful_call(std::shared_ptr<async_call> call, const std::exception_ptr& e) noexcept
      : call_(std::move(call)), failure_(e) {}  // NOLINT: nothing to throw

  db::detail::row_sink* rows() noexcept override { return call_->rows(); }
  std::stop_token stop() const noexcept override { return call_->stop(); }
  void hand_over(consumed then) noexcept override { call_->hand_over(std::move(then)); }
  void finish(std::exception_ptr e, db::write_result) noexcept override {
    call_->finish(e ? e : failure_, {});
  }

 private:
  const std::shared_ptr<async_call> call_;
  const std::exception_ptr failure_;
};

}  // namespace

/// Puts a transaction that has begun behind the gate.
class faulty_backend::begun_call final : public async_transaction_call {
 public:
  begun_call(std::shared_ptr<faulty_backend> by, std::shared_ptr<async_transaction_call> call,
             patience limits) noexcept
      : by_(std::move(by)), call_(std::move(call)), limits_(std::move(limits)) {}

  std::stop_token stop() const noexcept override { return call_->stop(); }
  void run(std::unique_ptr<db::detail::transaction_backend> tx) noexcept override {
    call_->run(by_->behind_gate(std::move(tx), std::move(limits_)));
  }
  void fail(std::exception_ptr e) noexcept override { call_->fail(std::move(e)); }

 private:
  const std::shared_ptr<faulty_backend> by_;
  const std::shared_ptr<async_transaction_call> call_;
  patience limits_;
};

logged_call logged(access kind, const db::statement& query, bool in_transaction) {
  return {.kind = kind == access::read ? call_kind::read : call_kind::write,
          .text = std::string(query.text()),
          .binds = query.parameters().size(),
          .in_transaction = in_transaction};
}

std::vector<logged_call> logged(const batch_members& members, bool in_transaction) {
  std::vector<logged_call> all;
  for (const auto& m : members) all.push_back(logged(m->kind, m->query, in_transaction));
  return all;
}

patience faulty_backend::patience_of(const db::call_options& options,
                                     const std::source_location& site,
                                     std::stop_token also_stop) const {
  return gate_->patience_of(options.timeout.value_or(statement_timeout()),
                            {options.stop, std::move(also_stop)}, errc::execution_timeout,
                            describe(site));
}

patience faulty_backend::patience_of(const db::transaction_options& options,
                                     const std::source_location& site,
                                     std::stop_token also_stop) const {
  return gate_->patience_of(options.timeout.value_or(transaction_timeout()),
                            {options.stop, std::move(also_stop)}, errc::acquire_timeout,
                            describe(site));
}

db::write_result faulty_backend::run(access kind, const db::statement& query,
                                     const db::call_options& options, db::detail::row_sink* rows) {
  io_thread_mark::check_blocking_allowed("db::client");
  const auto afterwards =
      gate_->pass({logged(kind, query, false)}, patience_of(options, query.site(), {}));
  auto done = driver_->run(kind, query, options, rows);
  if (afterwards) std::rethrow_exception(afterwards);
  return done;
}

db::write_result faulty_backend::run(const batch_members& members, const db::call_options& options,
                                     const std::source_location& site) {
  io_thread_mark::check_blocking_allowed("db::client");
  const auto afterwards = gate_->pass(logged(members, false), patience_of(options, site, {}));
  auto done = driver_->run(members, options, site);
  if (afterwards) std::rethrow_exception(afterwards);
  return done;
}

template <class Start>
void faulty_backend::async_pass(std::vector<logged_call> asked, patience limits,
                                std::shared_ptr<async_call> call, Start start) {
  auto go_on = [self = shared_from_this(), call = std::move(call), start = std::move(start)](
                   std::exception_ptr failure, const std::exception_ptr& afterwards) mutable {
    if (!failure) {
      try {
        return start(*self->driver_,
                     afterwards ? std::make_shared<doubtful_call>(call, afterwards) : call);
      } catch (...) {
        failure = std::current_exception();
      }
    }
    // Never inside the function that started the call.
    boost::asio::post(self->execution().completion_executor(),
                      [call, failure] { call->finish(failure, {}); });
  };
  gate_->async_pass(std::move(asked), std::move(limits), std::move(go_on));
}

void faulty_backend::async_run(access kind, db::statement&& query, db::call_options&& options,
                               std::shared_ptr<async_call> call) {
  auto asked = logged(kind, query, false);
  auto limits = patience_of(options, query.site(), call->stop());
  async_pass({std::move(asked)}, std::move(limits), std::move(call),
             [kind, query = std::move(query), options = std::move(options)](
                 backend& driver, std::shared_ptr<async_call> passed) mutable {
               driver.async_run(kind, std::move(query), std::move(options), std::move(passed));
             });
}

void faulty_backend::async_run(batch_members members, db::call_options&& options,
                               const std::source_location& site, std::shared_ptr<async_call> call) {
  auto asked = logged(members, false);
  auto limits = patience_of(options, site, call->stop());
  async_pass(std::move(asked), std::move(limits), std::move(call),
             [members = std::move(members), options = std::move(options), site](
                 backend& driver, std::shared_ptr<async_call> passed) mutable {
               driver.async_run(std::move(members), std::move(options), site, std::move(passed));
             });
}

bool faulty_backend::is_write_after_all(const db::statement& query, const error& e) {
  return !is_injected(e) && driver_->is_write_after_all(query, e);
}

bool faulty_backend::is_retryable(const error& e) const noexcept {
  if (!is_injected(e)) return driver_->is_retryable(e);
  return e.code() == errc::conflict || e.code() == errc::connection_lost;
}

std::unique_ptr<db::detail::transaction_backend> faulty_backend::behind_gate(
    std::unique_ptr<db::detail::transaction_backend> tx, patience limits) const {
  limits.late = errc::execution_timeout;
  return std::make_unique<faulty_transaction>(gate_, std::move(tx), statement_timeout(),
                                              std::move(limits));
}

std::unique_ptr<db::detail::transaction_backend> faulty_backend::begin(
    const db::transaction_options& options, const std::source_location& site) {
  io_thread_mark::check_blocking_allowed("db::client::begin");
  auto limits = patience_of(options, site, {});
  gate_->pass({{.kind = call_kind::begin}}, limits);
  return behind_gate(driver_->begin(options, site), std::move(limits));
}

void faulty_backend::async_begin(db::transaction_options options, const std::source_location& site,
                                 std::shared_ptr<async_transaction_call> call) {
  auto limits = patience_of(options, site, call->stop());
  auto go_on = [self = shared_from_this(), call = std::move(call), options = std::move(options),
                site, limits](std::exception_ptr failure, const std::exception_ptr&) mutable {
    if (!failure) {
      try {
        return self->driver_->async_begin(
            std::move(options), site, std::make_shared<begun_call>(self, call, std::move(limits)));
      } catch (...) {
        failure = std::current_exception();
      }
    }
    boost::asio::post(self->execution().completion_executor(),
                      [call, failure] { call->fail(failure); });
  };
  gate_->async_pass({{.kind = call_kind::begin}}, std::move(limits), std::move(go_on));
}

}  // namespace scalekit::testing::detail

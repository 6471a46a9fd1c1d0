#include "db/batch_run.hpp"
#include "db/call_frame.hpp"
#include "db/call_site.hpp"
#include "db/sqlite/backend.hpp"
#include "db/sqlite/transaction.hpp"

#include <exception>
#include <memory>
#include <utility>

// A batch is a transaction of its own, or a savepoint in one.

namespace scalekit::db::sqlite {

using detail::access;
using detail::batch_members;

namespace {

write_result run_and_commit(detail::transaction_backend& tx, const batch_members& members,
                            const call_options& options, deadline until) {
  detail::run_each(tx, members, options, until);
  write_result committed;
  try {
    committed = tx.commit();
  } catch (...) {
    std::rethrow_exception(
        detail::with_number(std::current_exception(), members.size(), members.size()));
  }
  return {detail::rows_affected(members), 0, committed.token()};
}

transaction_options as_transaction(const call_options& options, const batch_members& members,
                                   deadline until) {
  return {.timeout = until.remaining(),
          .stop = options.stop,
          .scope = options.scope,
          .read_only = detail::kind_of(members) == access::read};
}

/// Without a thread of its caller's.
class pending_batch final : public detail::async_transaction_call {
 public:
  pending_batch(batch_members members, call_options options, deadline until,
                std::shared_ptr<detail::async_call> call)
      : members_(std::move(members)),
        options_(std::move(options)),
        until_(until),
        call_(std::move(call)) {}

  std::stop_token stop() const noexcept override { return call_->stop(); }
  void run(std::unique_ptr<detail::transaction_backend> tx) noexcept override {
    std::exception_ptr failure;
    write_result done;
    try {
      done = run_and_commit(*tx, members_, options_, until_);
    } catch (...) {
      failure = std::current_exception();
    }
    // The handler may want the connection.
    tx.reset();
    call_->finish(std::move(failure), std::move(done));
  }
  void fail(std::exception_ptr e) noexcept override { call_->finish(std::move(e), {}); }

 private:
  const batch_members members_;
  const call_options options_;
  const deadline until_;
  const std::shared_ptr<detail::async_call> call_;
};

}  // namespace

write_result sqlite_backend::run(const batch_members& members, const call_options& options,
                                 const std::source_location& site) {
  const auto until = detail::frame_of(options, settings_.params.statement_timeout).until;
  auto tx = begin(as_transaction(options, members, until), site);
  return run_and_commit(*tx, members, options, until);
}

void sqlite_backend::async_run(batch_members members, call_options&& options,
                               const std::source_location& site,
                               std::shared_ptr<detail::async_call> call) {
  const auto until = detail::frame_of(options, settings_.params.statement_timeout).until;
  auto as_begin = as_transaction(options, members, until);
  async_begin(std::move(as_begin), site,
              std::make_shared<pending_batch>(std::move(members), std::move(options), until,
                                              std::move(call)));
}

void sqlite_transaction::run(const batch_members& members, const call_options& options,
                             const std::source_location&) {
  const auto until = detail::frame_of(options, backend_->params().statement_timeout).until;
  savepoint();
  try {
    detail::run_each(*this, members, options, until);
    release_savepoint();
  } catch (...) {
    rollback_to_savepoint();
    throw;
  }
}

}  // namespace scalekit::db::sqlite

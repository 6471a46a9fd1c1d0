#include "scalekit/db/batch.hpp"

#include "db/batch_run.hpp"
#include "db/call_site.hpp"
#include "scalekit/core/error.hpp"

#include <algorithm>
#include <exception>
#include <string>

namespace scalekit::db {

batch::batch() : members_(std::make_shared<detail::batch_members>()) {}

batch_write batch::write(statement query) {
  auto m = std::make_shared<detail::batch_member>(detail::access::write, std::move(query));
  add(m);
  return batch_write(std::move(m));
}

void batch::add(std::shared_ptr<detail::batch_member> m) {
  if (size() == max_statements) {
    throw error(errc::too_large, detail::describe(m->query.site()) + ": a batch has at most " +
                                     std::to_string(max_statements) + " statements");
  }
  members_->push_back(std::move(m));
}

const detail::batch_members& batch::start() const {
  if (empty()) throw error(errc::invalid_argument, "the batch has no statement");
  detail::restart(*members_);
  return *members_;
}

namespace detail {

void batch_member::require_done() const {
  if (done) return;
  throw error(errc::not_allowed,
              describe(query.site()) + ": no result, for its batch has not run, or has failed");
}

void restart(const batch_members& members) noexcept {
  for (const auto& m : members) {
    m->done = false;
    if (auto* rows = m->rows()) rows->restart();
  }
}

void finish(const batch_members& members, const write_result& done) {
  for (const auto& m : members) {
    m->result = {m->result.rows_affected(), m->result.last_insert_id(), done.token()};
    m->done = true;
  }
}

access kind_of(const batch_members& members) noexcept {
  const bool writes =
      std::ranges::any_of(members, [](const auto& m) { return m->kind == access::write; });
  return writes ? access::write : access::read;
}

std::int64_t rows_affected(const batch_members& members) noexcept {
  std::int64_t sum = 0;
  for (const auto& m : members) sum += m->result.rows_affected();
  return sum;
}

void run_each(transaction_backend& tx, const batch_members& members, const call_options& options,
              deadline until) {
  auto limits = options;
  for (std::size_t i = 0; i < members.size(); ++i) {
    auto& m = *members[i];
    limits.timeout = until.remaining();
    try {
      m.result = tx.run(m.kind, m.query, limits, m.rows());
    } catch (...) {
      std::rethrow_exception(
          with_number(with_place(std::current_exception(), m.query.site()), i, members.size()));
    }
  }
}

}  // namespace detail
}  // namespace scalekit::db

#include "db/batch_run.hpp"
#include "db/call_site.hpp"
#include "db/postgres/async_statement.hpp"
#include "db/postgres/backend.hpp"

#include <exception>
#include <utility>

// Statements that go together.

namespace scalekit::db::postgres {

void note_results(std::span<const call_member> members, const detail::batch_members& batch) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    batch[i]->result = {members[i].got.rows_affected, 0, {}};
  }
}

std::vector<call_member> backend::members_of(const detail::batch_members& batch) {
  std::vector<call_member> members;
  members.reserve(batch.size());
  for (const auto& m : batch) {
    try {
      members.push_back({&m->query, entry_for(m->query, m->kind), m->rows()});
    } catch (...) {
      std::rethrow_exception(
          detail::with_number(std::current_exception(), members.size(), batch.size()));
    }
  }
  return members;
}

write_result backend::run(const detail::batch_members& batch, const call_options& options,
                          const std::source_location& site) {
  auto call = admit(options, site);
  auto members = members_of(batch);
  auto done = run({detail::kind_of(batch), members, site}, options, call);
  note_results(members, batch);
  return done;
}

void backend::async_run(detail::batch_members batch, call_options&& options,
                        const std::source_location& site,
                        std::shared_ptr<detail::async_call> call) {
  if (!admit_async(call)) return;
  try {
    const auto frame = detail::frame_of(options, settings_.params.statement_timeout);
    auto members = members_of(batch);
    std::make_shared<async_statement>(shared_from_this(), std::move(batch), std::move(members),
                                      site, std::move(options), frame, call)
        ->start();
  } catch (...) {
    refuse(call, std::current_exception());
  }
}

}  // namespace scalekit::db::postgres

#include "queue/sqlite_engine.hpp"

#include "queue/json_list.hpp"
#include "queue/sqlite_schema.hpp"

#include <tuple>
#include <utility>

namespace scalekit::queue::detail {

using db::unsafe_sql;

sqlite_engine::sqlite_engine(db::client client, std::string prefix,
                             std::chrono::nanoseconds call_timeout)
    : sql_engine(std::move(client), std::move(prefix), call_timeout, sqlite_texts),
      text_(prefix_) {}

void sqlite_engine::migrate() {
  migrate_by(sqlite_schema_steps);
}

std::vector<job_id> sqlite_engine::enqueue(db::transaction* tx, std::span<const new_job> jobs,
                                           std::stop_token stop) {
  // A savepoint: a caller that catches the error and commits must not store half a job.
  if (tx != nullptr) return tx->savepoint([&] { return insert(*tx, jobs); });
  return db_.transaction([&](db::transaction& own) { return insert(own, jobs); },
                         writing(std::move(stop)));
}

std::vector<job_id> sqlite_engine::insert(db::transaction& tx, std::span<const new_job> jobs) {
  std::vector<job_id> ids;
  ids.reserve(jobs.size());
  for (const auto& job : jobs) {
    const auto id = tx.write_one<job_id>(
        unsafe_sql(text_.insert_job, job.queue, job.kind, job.priority, job.key, job.max_attempts,
                   job.enqueued_at, std::as_bytes(std::span(job.payload))));
    if (job.run_at) {
      tx.write(unsafe_sql(text_.insert_later, id, *job.run_at));
    } else {
      tx.write(unsafe_sql(text_.insert_ready, job.queue, job.kind, job.key, id));
    }
    ids.push_back(id);
  }
  return ids;
}

std::vector<orphan> sqlite_engine::orphans(std::size_t most) {
  return orphans_of(db_.read<orphan_row>(unsafe_sql(text_.orphans, most), call()));
}

queue_glance sqlite_engine::glance(std::span<const std::string> queues,
                                   std::span<const std::string> kinds) {
  using row = std::tuple<bool, std::optional<wall_time>>;
  const auto [has_ready, next_due] = db_.read_one<row>(
      unsafe_sql(text_.glance, json_strings(queues), json_strings(kinds)), call());
  return {.has_ready = has_ready, .next_due = next_due};
}

bool sqlite_engine::complete_in(db::transaction& tx, const lease& l) {
  return tx.savepoint([&] {
    const auto released = tx.write(unsafe_sql(text_.release_lease, l.job, l.sequence, l.nonce));
    if (released.rows_affected() != 1) return false;
    tx.write(unsafe_sql(text_.delete_job, l.job));
    tx.write(unsafe_sql(text_.delete_past, l.job));
    return true;
  });
}

bool sqlite_engine::redrive(job_id id, std::int64_t key, std::stop_token stop) {
  return db_.transaction(
      [&](db::transaction& tx) {
        if (tx.write(unsafe_sql(text_.delete_dead, id)).rows_affected() != 1) return false;
        tx.write(unsafe_sql(text_.delete_past, id));
        tx.write(unsafe_sql(text_.redriven_to_ready, id, key));
        return true;
      },
      writing(std::move(stop)));
}

bool sqlite_engine::delete_dead_letter(job_id id, std::stop_token stop) {
  return db_.transaction(
      [&](db::transaction& tx) {
        if (tx.write(unsafe_sql(text_.delete_dead, id)).rows_affected() != 1) return false;
        tx.write(unsafe_sql(text_.delete_past, id));
        tx.write(unsafe_sql(text_.delete_job, id));
        return true;
      },
      writing(std::move(stop)));
}

std::unique_ptr<engine> make_sqlite_engine(db::client client, std::string prefix,
                                           std::chrono::nanoseconds call_timeout) {
  return std::make_unique<sqlite_engine>(std::move(client), std::move(prefix), call_timeout);
}

}  // namespace scalekit::queue::detail

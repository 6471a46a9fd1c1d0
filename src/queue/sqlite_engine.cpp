#include "queue/sqlite_engine.hpp"

#include "queue/json_list.hpp"
#include "queue/sqlite_schema.hpp"
#include "queue/table_prefix.hpp"

#include <tuple>
#include <unistd.h>
#include <utility>

namespace scalekit::queue::detail {
namespace {

using db::unsafe_sql;

job_history history(int errors, int crashes, int interruptions, int snoozes) {
  return {.errors = errors, .crashes = crashes, .interruptions = interruptions, .snoozes = snoozes};
}

}  // namespace

sqlite_engine::sqlite_engine(db::client client, std::string prefix,
                             std::chrono::nanoseconds call_timeout)
    : db_(std::move(client)),
      prefix_(std::move(prefix)),
      call_timeout_(call_timeout),
      text_(prefix_) {}

void sqlite_engine::migrate() {
  std::vector<std::string> scripts;
  std::vector<std::string_view> steps;
  scripts.reserve(sqlite_schema_steps.size());
  steps.reserve(sqlite_schema_steps.size());
  for (const auto step : sqlite_schema_steps) {
    steps.push_back(scripts.emplace_back(with_prefix(step, prefix_)));
  }
  db_.migrate("queue." + prefix_, steps, writing());
}

std::vector<job_id> sqlite_engine::enqueue(db::transaction* tx, std::span<const new_job> jobs) {
  // A savepoint: a caller that catches the error and commits must not store half a job.
  if (tx != nullptr) return tx->savepoint([&] { return insert(*tx, jobs); });
  return db_.transaction([&](db::transaction& own) { return insert(own, jobs); }, writing());
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

worker_identity sqlite_engine::enlist(std::int64_t nonce, std::chrono::microseconds stale_after,
                                      wall_time now) {
  const auto id = db_.write_one<std::int64_t>(
      unsafe_sql(text_.enlist, nonce, stale_after.count(), now, ::getpid()), call());
  return {.id = id, .nonce = nonce};
}

bool sqlite_engine::beat(const worker_identity& who, wall_time now) {
  return db_.write(unsafe_sql(text_.beat, who.id, who.nonce, now), call()).rows_affected() == 1;
}

void sqlite_engine::leave(const worker_identity& who) {
  db_.write(unsafe_sql(text_.leave, who.id, who.nonce), call());
}

std::vector<worker_sighting> sqlite_engine::workers() {
  std::vector<worker_sighting> seen;
  using row = std::tuple<std::int64_t, std::int64_t, std::int64_t>;
  for (const auto& [id, beats, stale_after] : db_.read<row>(unsafe_sql(text_.workers), call())) {
    seen.push_back({.id = id, .beats = beats, .stale_after_us = stale_after});
  }
  return seen;
}

bool sqlite_engine::evict(const worker_sighting& dead) {
  return db_.write(unsafe_sql(text_.evict, dead.id, dead.beats), call()).rows_affected() == 1;
}

std::vector<orphan> sqlite_engine::orphans(std::size_t most) {
  std::vector<orphan> found;
  using row = std::tuple<job_id, std::int64_t, std::int64_t, int, int, int, int>;
  for (const auto& [id, sequence, nonce, errors, crashes, interruptions, snoozes] :
       db_.read<row>(unsafe_sql(text_.orphans, most), call())) {
    found.push_back({.held = {.job = id, .sequence = sequence, .nonce = nonce},
                     .past = history(errors, crashes, interruptions, snoozes)});
  }
  return found;
}

queue_glance sqlite_engine::glance(std::span<const std::string> queues,
                                   std::span<const std::string> kinds) {
  using row = std::tuple<bool, std::optional<wall_time>>;
  const auto [has_ready, next_due] = db_.read_one<row>(
      unsafe_sql(text_.glance, json_strings(queues), json_strings(kinds)), call());
  return {.has_ready = has_ready, .next_due = next_due};
}

bool sqlite_engine::holds(const lease& l) {
  return db_.read_one<int>(unsafe_sql(text_.holds, l.job, l.sequence, l.nonce), call()) == 1;
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

std::unique_ptr<engine> make_sqlite_engine(db::client client, std::string prefix,
                                           std::chrono::nanoseconds call_timeout) {
  return std::make_unique<sqlite_engine>(std::move(client), std::move(prefix), call_timeout);
}

}  // namespace scalekit::queue::detail

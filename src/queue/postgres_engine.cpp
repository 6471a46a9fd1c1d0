#include "queue/postgres_engine.hpp"

#include "queue/postgres_schema.hpp"

#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

namespace scalekit::queue::detail {

using db::unsafe_sql;

namespace {

/// Payload bytes, and jobs, that go into one statement: what is in one is in memory several times.
constexpr std::size_t most_bytes_stored = std::size_t{1} << 20;
constexpr std::size_t most_jobs_stored = 1000;

/// How many of `jobs` are stored by one statement; at least one.
std::size_t jobs_at_once(std::span<const new_job> jobs) {
  std::size_t count = 0;
  std::size_t size = 0;
  while (count < jobs.size() && count < most_jobs_stored) {
    size += jobs[count].payload.size();
    if (count > 0 && size > most_bytes_stored) break;
    ++count;
  }
  return count;
}

/// The columns of the jobs, as arrays.
struct job_columns {
  explicit job_columns(std::span<const new_job> jobs) {
    for (const auto& job : jobs) {
      queues.push_back(job.queue);
      kinds.push_back(job.kind);
      priorities.push_back(job.priority);
      keys.push_back(job.key);
      max_attempts.push_back(job.max_attempts);
      enqueued_at.push_back(job.enqueued_at);
      payloads.push_back(std::as_bytes(std::span(job.payload)));
      run_at.push_back(job.run_at);
    }
  }

  std::vector<std::string_view> queues;
  std::vector<std::string_view> kinds;
  std::vector<job_priority> priorities;
  std::vector<std::int64_t> keys;
  std::vector<int> max_attempts;
  std::vector<wall_time> enqueued_at;
  std::vector<std::span<const std::byte>> payloads;
  std::vector<std::optional<wall_time>> run_at;
};

}  // namespace

postgres_engine::postgres_engine(db::client client, std::string prefix,
                                 std::chrono::nanoseconds call_timeout)
    : sql_engine(std::move(client), std::move(prefix), call_timeout, postgres_texts),
      text_(prefix_) {}

void postgres_engine::migrate() {
  migrate_by(postgres_schema_steps);
}

std::vector<job_id> postgres_engine::enqueue(db::transaction* tx, std::span<const new_job> jobs,
                                             std::stop_token stop) {
  if (tx == nullptr) {
    return db_.transaction([&](db::transaction& own) { return enqueue(&own, jobs, {}); },
                           writing(std::move(stop)));
  }
  std::vector<job_id> ids;
  ids.reserve(jobs.size());
  while (!jobs.empty()) {
    const auto some = jobs.first(jobs_at_once(jobs));
    jobs = jobs.subspan(some.size());
    const job_columns c(some);
    const auto given =
        tx->write<job_id>(unsafe_sql(text_.enqueue, c.queues, c.kinds, c.priorities, c.keys,
                                     c.max_attempts, c.enqueued_at, c.payloads, c.run_at));
    ids.insert(ids.end(), given.begin(), given.end());
  }
  return ids;
}

std::vector<orphan> postgres_engine::orphans(std::size_t most) {
  return orphans_of(db_.write<orphan_row>(unsafe_sql(text_.orphans, most), call()));
}

queue_glance postgres_engine::glance(std::span<const std::string> queues,
                                     std::span<const std::string> kinds) {
  using row = std::tuple<bool, std::optional<wall_time>>;
  const auto [has_ready, next_due] =
      db_.read_one<row>(unsafe_sql(text_.glance, std::vector(queues.begin(), queues.end()),
                                   std::vector(kinds.begin(), kinds.end())),
                        call());
  return {.has_ready = has_ready, .next_due = next_due};
}

bool postgres_engine::complete_in(db::transaction& tx, const lease& l) {
  return tx.write_one<int>(unsafe_sql(text_.complete, l.job, l.sequence, l.nonce)) == 1;
}

bool postgres_engine::redrive(job_id id, std::int64_t key, std::stop_token stop) {
  return db_.write_one<int>(unsafe_sql(text_.redrive, id, key), call(std::move(stop))) == 1;
}

bool postgres_engine::delete_dead_letter(job_id id, std::stop_token stop) {
  return db_.write_one<int>(unsafe_sql(text_.delete_dead_letter, id), call(std::move(stop))) == 1;
}

std::unique_ptr<engine> make_postgres_engine(db::client client, std::string prefix,
                                             std::chrono::nanoseconds call_timeout) {
  return std::make_unique<postgres_engine>(std::move(client), std::move(prefix), call_timeout);
}

}  // namespace scalekit::queue::detail

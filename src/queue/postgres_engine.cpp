#include "queue/postgres_engine.hpp"

#include "queue/postgres_schema.hpp"
#include "queue/table_prefix.hpp"

#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <unistd.h>
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
    : db_(std::move(client)),
      prefix_(std::move(prefix)),
      call_timeout_(call_timeout),
      text_(prefix_) {}

void postgres_engine::migrate() {
  std::vector<std::string> scripts;
  std::vector<std::string_view> steps;
  scripts.reserve(postgres_schema_steps.size());
  for (const auto step : postgres_schema_steps) {
    steps.push_back(scripts.emplace_back(with_prefix(step, prefix_)));
  }
  db_.migrate("queue." + prefix_, steps, writing());
}

std::vector<job_id> postgres_engine::enqueue(db::transaction* tx, std::span<const new_job> jobs) {
  if (tx == nullptr) {
    return db_.transaction([&](db::transaction& own) { return enqueue(&own, jobs); }, writing());
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

worker_identity postgres_engine::enlist(std::int64_t nonce, std::chrono::microseconds stale_after,
                                        wall_time now) {
  const auto id = db_.write_one<std::int64_t>(
      unsafe_sql(text_.enlist, nonce, stale_after.count(), now, ::getpid()), call());
  return {.id = id, .nonce = nonce};
}

bool postgres_engine::beat(const worker_identity& who, wall_time now) {
  return db_.write(unsafe_sql(text_.beat, who.id, who.nonce, now), call()).rows_affected() == 1;
}

void postgres_engine::leave(const worker_identity& who) {
  db_.write(unsafe_sql(text_.leave, who.id, who.nonce), call());
}

std::vector<worker_sighting> postgres_engine::workers() {
  std::vector<worker_sighting> seen;
  using row = std::tuple<std::int64_t, std::int64_t, std::int64_t>;
  for (const auto& [id, beats, stale_after] : db_.read<row>(unsafe_sql(text_.workers), call())) {
    seen.push_back({.id = id, .beats = beats, .stale_after_us = stale_after});
  }
  return seen;
}

bool postgres_engine::evict(const worker_sighting& dead) {
  return db_.write(unsafe_sql(text_.evict, dead.id, dead.beats), call()).rows_affected() == 1;
}

std::vector<orphan> postgres_engine::orphans(std::size_t most) {
  std::vector<orphan> found;
  using row = std::tuple<job_id, std::int64_t, std::int64_t, int, int, int, int>;
  for (const auto& [id, sequence, nonce, errors, crashes, interruptions, snoozes] :
       db_.write<row>(unsafe_sql(text_.orphans, most), call())) {
    found.push_back({.held = {.job = id, .sequence = sequence, .nonce = nonce},
                     .past = {.errors = errors,
                              .crashes = crashes,
                              .interruptions = interruptions,
                              .snoozes = snoozes}});
  }
  return found;
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

bool postgres_engine::holds(const lease& l) {
  return db_.read_one<int>(unsafe_sql(text_.holds, l.job, l.sequence, l.nonce), call()) == 1;
}

bool postgres_engine::complete_in(db::transaction& tx, const lease& l) {
  return tx.write_one<int>(unsafe_sql(text_.complete, l.job, l.sequence, l.nonce)) == 1;
}

std::unique_ptr<engine> make_postgres_engine(db::client client, std::string prefix,
                                             std::chrono::nanoseconds call_timeout) {
  return std::make_unique<postgres_engine>(std::move(client), std::move(prefix), call_timeout);
}

}  // namespace scalekit::queue::detail

// How jobs are claimed on PostgreSQL, within the transaction of a turn.

#include "queue/disposition.hpp"
#include "queue/postgres_engine.hpp"
#include "queue/row_fault.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

namespace scalekit::queue::detail {

using db::unsafe_sql;

/// What a claim may still take.
struct postgres_engine::claim_room {
  std::size_t jobs;
  std::size_t payload;
  /// Alone, any job must be claimed, or it would never be.
  bool has_none = true;

  void take(std::size_t bytes) noexcept {
    --jobs;
    payload -= std::min(payload, bytes);
    has_none = false;
  }
};

/// How many jobs from the head of a queue a claim looks at.
struct postgres_engine::claim_reach {
  std::size_t jobs;
  /// Whether looking at more may find more.
  bool may_grow = true;

  void grow() noexcept { jobs = 4 * jobs + 64; }
};

void postgres_engine::claim(db::transaction& tx, const turn_request& request, turn_result& result) {
  claim_room room{.jobs = request.claim, .payload = request.claim_bytes};
  for (const auto& queue : request.queues) {
    std::vector<claimed_job> jobs;
    for (claim_reach reach{.jobs = room.jobs}; room.jobs > 0 && reach.may_grow; reach.grow()) {
      auto some = claim_within(tx, queue, request, room, reach);
      std::move(some.begin(), some.end(), std::back_inserter(jobs));
    }
    if (jobs.empty()) continue;
    read_jobs(tx, jobs, request.now, result);
    std::move(jobs.begin(), jobs.end(), std::back_inserter(result.claimed));
  }
}

std::vector<claimed_job> postgres_engine::claim_within(db::transaction& tx,
                                                       const std::string& queue,
                                                       const turn_request& request,
                                                       claim_room& room, claim_reach& reach) {
  const auto wanted = room.jobs;
  bool seen_all = false;
  bool full = false;
  std::vector<claimed_job> jobs;
  using row =
      std::tuple<std::size_t, std::optional<job_id>, std::optional<std::string>,
                 std::optional<std::size_t>, std::optional<bool>, std::optional<std::int64_t>>;
  for (auto& [seen, id, kind, bytes, fits, sequence] : tx.write<row>(
           unsafe_sql(text_.claim, queue, std::vector(request.kinds.begin(), request.kinds.end()),
                      reach.jobs, room.jobs, room.payload, room.has_none, request.who.nonce,
                      request.who.id, request.now))) {
    seen_all = seen < reach.jobs;
    if (!id) break;
    full |= !*fits;
    // Without a lease: it does not fit, or somebody deleted its job by hand.
    if (!sequence) continue;
    room.take(*bytes);
    jobs.push_back({.held = {.job = *id, .sequence = *sequence, .nonce = request.who.nonce},
                    .queue = queue,
                    .kind = std::move(*kind),
                    .payload = {},
                    .past = {}});
  }
  reach.may_grow = !seen_all && !full && jobs.size() < wanted;
  return jobs;
}

void postgres_engine::read_jobs(db::transaction& tx, std::vector<claimed_job>& jobs, wall_time now,
                                turn_result& result) {
  using row = std::tuple<job_id, bytes, int, int, int, int, int>;
  const auto read = [&](const std::vector<job_id>& ids) {
    return tx.read<row>(unsafe_sql(text_.read_jobs, ids));
  };
  const auto fill = [](claimed_job& job, row& from) {
    auto& [id, payload, max_attempts, errors, crashes, interruptions, snoozes] = from;
    job.payload = std::move(payload);
    job.max_attempts = max_attempts;
    job.past = {
        .errors = errors, .crashes = crashes, .interruptions = interruptions, .snoozes = snoozes};
  };

  std::map<job_id, claimed_job*> by_id;
  std::vector<job_id> ids;
  for (auto& job : jobs) {
    by_id.emplace(job.held.job, &job);
    ids.push_back(job.held.job);
  }
  try {
    for (auto& each : read(ids)) fill(*by_id.at(std::get<0>(each)), each);
    return;
  } catch (const error& e) {
    if (!is_rows_fault(e)) throw;
  }
  std::erase_if(jobs, [&](claimed_job& job) {
    try {
      for (auto& each : read({job.held.job})) fill(job, each);
      return false;
    } catch (const error& e) {
      if (!is_rows_fault(e)) throw;
      result.unreadable.push_back(
          {.id = job.held.job, .kind = std::move(job.kind), .why = e.what()});
      bury_unread(tx, result.unreadable.back(), now);
      return true;
    }
  });
}

void postgres_engine::bury_unread(db::transaction& tx, const unreadable_job& job, wall_time now) {
  const std::vector ids{job.id};
  const std::vector none{0};
  tx.write(unsafe_sql(text_.delete_leases, ids));
  tx.write(unsafe_sql(text_.insert_dead, ids, std::vector{now}));
  tx.write(unsafe_sql(text_.upsert_past, ids, none, none, none, none,
                      std::vector{clean_reason("the job cannot be read: " + job.why)}));
}

}  // namespace scalekit::queue::detail

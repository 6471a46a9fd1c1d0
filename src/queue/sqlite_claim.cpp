// How jobs are claimed on SQLite, within the transaction of a turn.

#include "queue/disposition.hpp"
#include "queue/json_list.hpp"
#include "queue/row_fault.hpp"
#include "queue/sqlite_engine.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

namespace scalekit::queue::detail {

using db::unsafe_sql;

namespace {

claimed_job make_job(job_id id, std::string kind, bytes payload, int max_attempts,
                     const job_history& past) {
  return {.held = {.job = id},
          .queue = {},
          .kind = std::move(kind),
          .payload = std::move(payload),
          .max_attempts = max_attempts,
          .past = past};
}

}  // namespace

/// The head of a queue, up to where it was read.
struct sqlite_engine::queue_head {
  std::vector<claimed_job> jobs;
  std::vector<unreadable_job> unreadable;
  /// The last row of each kind: of the same kind, all before it are here or were nothing.
  std::map<std::string, std::pair<std::int64_t, job_id>, std::less<>> last_of_kind;
};

/// What a claim may still take.
struct sqlite_engine::claim_room {
  std::size_t jobs;
  std::size_t payload;
  bool has_none;

  bool take(std::size_t bytes) noexcept {
    // Alone, any job must be claimed, or it would never be.
    if (jobs == 0 || (bytes > payload && !has_none)) return false;
    --jobs;
    payload -= std::min(payload, bytes);
    has_none = false;
    return true;
  }
};

void sqlite_engine::claim(db::transaction& tx, const turn_request& request, turn_result& result) {
  claim_room room{.jobs = request.claim, .payload = request.claim_bytes, .has_none = true};
  for (const auto& queue : request.queues) {
    if (room.jobs == 0) return;
    auto head = read_head(tx, queue, request, room);
    if (!head.last_of_kind.empty()) claim_head(tx, queue, request, head);
    std::move(head.jobs.begin(), head.jobs.end(), std::back_inserter(result.claimed));
    std::move(head.unreadable.begin(), head.unreadable.end(),
              std::back_inserter(result.unreadable));
  }
}

sqlite_engine::queue_head sqlite_engine::read_head(db::transaction& tx, const std::string& queue,
                                                   const turn_request& request, claim_room& room) {
  const auto before = room;
  try {
    return read_at_once(tx, queue, request, room);
  } catch (const error& e) {
    if (!is_rows_fault(e)) throw;
  }
  room = before;
  return read_one_by_one(tx, queue, request, room);
}

sqlite_engine::queue_head sqlite_engine::read_at_once(db::transaction& tx, const std::string& queue,
                                                      const turn_request& request,
                                                      claim_room& room) {
  // Small payloads come with their rows, so many that they fit all. Others are fetched when their
  // turn comes.
  const auto small = room.payload / room.jobs;
  auto choose = unsafe_sql(text_.choose(request.kinds.size()), queue, room.jobs, small);
  for (const auto& kind : request.kinds) choose.bind(kind);
  using row = std::tuple<std::int64_t, job_id, std::string, std::int64_t, std::optional<bytes>, int,
                         int, int, int, int>;
  queue_head head;
  for (auto& [key, id, kind, length, payload, max_attempts, errors, crashes, interruptions,
              snoozes] : tx.read<row>(choose)) {
    if (!room.take(static_cast<std::size_t>(length))) break;
    if (!payload) payload = tx.read_one<bytes>(unsafe_sql(text_.read_payload, id));
    head.last_of_kind[kind] = {key, id};
    head.jobs.push_back(make_job(id, std::move(kind), std::move(*payload), max_attempts,
                                 {.errors = errors,
                                  .crashes = crashes,
                                  .interruptions = interruptions,
                                  .snoozes = snoozes}));
  }
  return head;
}

sqlite_engine::queue_head sqlite_engine::read_one_by_one(db::transaction& tx,
                                                         const std::string& queue,
                                                         const turn_request& request,
                                                         claim_room& room) {
  auto choose = unsafe_sql(text_.choose_unread(request.kinds.size()), queue, room.jobs);
  for (const auto& kind : request.kinds) choose.bind(kind);
  queue_head head;
  using narrow = std::tuple<std::int64_t, job_id, std::string>;
  for (auto& [key, id, kind] : tx.read<narrow>(choose)) {
    using row = std::tuple<bytes, int, int, int, int, int>;
    std::optional<row> found;
    try {
      found = tx.read_optional<row>(unsafe_sql(text_.read_job, id));
    } catch (const error& e) {
      if (!is_rows_fault(e)) throw;
      head.last_of_kind[kind] = {key, id};
      head.unreadable.push_back({.id = id, .kind = std::move(kind), .why = e.what()});
      continue;
    }
    if (found && !room.take(std::get<bytes>(*found).size())) break;
    head.last_of_kind[kind] = {key, id};
    if (!found) continue;
    auto& [payload, max_attempts, errors, crashes, interruptions, snoozes] = *found;
    head.jobs.push_back(make_job(id, std::move(kind), std::move(payload), max_attempts,
                                 {.errors = errors,
                                  .crashes = crashes,
                                  .interruptions = interruptions,
                                  .snoozes = snoozes}));
  }
  return head;
}

void sqlite_engine::claim_head(db::transaction& tx, const std::string& queue,
                               const turn_request& request, queue_head& head) {
  if (!head.jobs.empty()) {
    json_numbers ids;
    for (const auto& job : head.jobs) ids.add(job.held.job);
    const auto count = static_cast<std::int64_t>(head.jobs.size());
    auto sequence = tx.write_one<std::int64_t>(unsafe_sql(text_.take_sequence, count)) - count;
    tx.write(unsafe_sql(text_.insert_leases, sequence, request.who.nonce, request.who.id,
                        request.now, ids.take()));
    for (auto& job : head.jobs) {
      job.queue = queue;
      job.held.sequence = ++sequence;
      job.held.nonce = request.who.nonce;
    }
  }
  for (const auto& [kind, last] : head.last_of_kind) {
    tx.write(unsafe_sql(text_.delete_ready, queue, kind, last.first, last.second));
  }
  for (const auto& job : head.unreadable) {
    tx.write(unsafe_sql(text_.insert_dead, job.id, request.now));
    tx.write(unsafe_sql(text_.upsert_past, job.id, 0, 0, 0, 0,
                        clean_reason("the job cannot be read: " + job.why)));
  }
}

}  // namespace scalekit::queue::detail

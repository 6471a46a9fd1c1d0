// One transaction of a worker on PostgreSQL: what has ended is recorded, more is claimed.

#include "queue/disposition.hpp"
#include "queue/postgres_engine.hpp"

#include <chrono>
#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace scalekit::queue::detail {

using db::unsafe_sql;

namespace {

/// Due jobs moved along in one turn: bounds how long it takes.
constexpr int most_promoted = 1000;

/// Jobs and a time for each, as arrays.
struct timed_jobs {
  std::vector<job_id> ids;
  std::vector<wall_time> at;

  void add(const settlement& s) {
    ids.push_back(s.held.job);
    at.push_back(s.at);
  }
};

struct histories {
  std::vector<job_id> ids;
  std::vector<int> errors, crashes, interruptions, snoozes;
  std::vector<std::string_view> reasons;

  void add(const settlement& s) {
    ids.push_back(s.held.job);
    errors.push_back(s.past.errors);
    crashes.push_back(s.past.crashes);
    interruptions.push_back(s.past.interruptions);
    snoozes.push_back(s.past.snoozes);
    reasons.push_back(s.reason);
  }
};

}  // namespace

turn_result postgres_engine::turn(const turn_request& request) {
  const auto doubtful = doubtful_.list(request.now);
  turn_result result;
  try {
    db_.transaction(
        [&](db::transaction& tx) {
          result = {};
          run_turn(tx, request, doubtful, result);
        },
        writing());
  } catch (const error& e) {
    if (outcome_unknown(e)) doubtful_.add(result.claimed, request.now);
    throw;
  }
  return result;
}

void postgres_engine::run_turn(db::transaction& tx, const turn_request& request,
                               std::span<const lease> doubtful, turn_result& result) {
  const auto& who = request.who;
  const auto patience = std::chrono::ceil<std::chrono::milliseconds>(call_timeout_).count();
  using setting = std::string;
  const auto opening = tx.write_one<
      std::tuple<setting, setting, setting, setting, setting, setting, setting, int, bool>>(
      unsafe_sql(text_.open_turn, who.id, who.nonce, request.now, std::to_string(patience)));
  const bool enlisted = std::get<7>(opening) == 1;
  const bool some_are_due = std::get<8>(opening);

  settle(tx, request.settle, result.settled);
  if (!doubtful.empty()) {
    std::vector<settlement> back;
    for (const auto& held : doubtful) back.push_back(after_return(held).what);
    std::vector<bool> ignored;
    settle(tx, back, ignored);
  }
  if (request.claim == 0 || request.kinds.empty()) return;

  result.evicted = !enlisted;
  if (result.evicted) return;
  if (some_are_due) tx.write(unsafe_sql(text_.promote, request.now, most_promoted));
  claim(tx, request, result);
}

void postgres_engine::settle(db::transaction& tx, std::span<const settlement> all,
                             std::vector<bool>& settled) {
  settled.assign(all.size(), false);
  if (all.empty()) return;

  std::vector<job_id> ids;
  std::vector<std::int64_t> sequences;
  std::vector<std::int64_t> nonces;
  std::map<std::pair<job_id, std::int64_t>, std::size_t> position;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& held = all[i].held;
    ids.push_back(held.job);
    sequences.push_back(held.sequence);
    nonces.push_back(held.nonce);
    position.emplace(std::pair(held.job, held.sequence), i);
  }

  std::vector<job_id> removed;
  std::vector<job_id> ready;
  timed_jobs later;
  timed_jobs dead;
  histories past;
  using row = std::pair<job_id, std::int64_t>;
  for (const auto& released :
       tx.write<row>(unsafe_sql(text_.release_leases, ids, sequences, nonces))) {
    const auto i = position.at(released);
    const auto& s = all[i];
    settled[i] = true;
    switch (s.to) {
      case settlement::fate::remove:
        removed.push_back(s.held.job);
        continue;
      case settlement::fate::ready:
        ready.push_back(s.held.job);
        break;
      case settlement::fate::later:
        later.add(s);
        break;
      case settlement::fate::dead:
        dead.add(s);
        break;
    }
    if (s.recorded) past.add(s);
  }

  if (!removed.empty()) tx.write(unsafe_sql(text_.delete_jobs, removed));
  if (!ready.empty()) tx.write(unsafe_sql(text_.jobs_to_ready, ready));
  if (!later.ids.empty()) tx.write(unsafe_sql(text_.insert_later, later.ids, later.at));
  if (!dead.ids.empty()) tx.write(unsafe_sql(text_.insert_dead, dead.ids, dead.at));
  if (!past.ids.empty()) {
    tx.write(unsafe_sql(text_.upsert_past, past.ids, past.errors, past.crashes, past.interruptions,
                        past.snoozes, past.reasons));
  }
}

}  // namespace scalekit::queue::detail

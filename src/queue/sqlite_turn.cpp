// One transaction of a worker on SQLite: what has ended is recorded, more is claimed.

#include "queue/json_list.hpp"
#include "queue/sqlite_engine.hpp"

#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace scalekit::queue::detail {

using db::unsafe_sql;

namespace {

/// Due jobs moved along in one turn: bounds how long a turn holds the writer.
constexpr int most_promoted = 1000;

}  // namespace

turn_result sqlite_engine::turn(const turn_request& request) {
  return db_.transaction(
      [&](db::transaction& tx) {
        turn_result result;
        settle(tx, request, result.settled);
        if (request.claim == 0 || request.kinds.empty()) return result;

        const auto& who = request.who;
        result.evicted = tx.read_one<int>(unsafe_sql(text_.is_enlisted, who.id, who.nonce)) == 0;
        if (result.evicted) return result;

        promote(tx, request.now);
        claim(tx, request, result);
        return result;
      },
      writing());
}

void sqlite_engine::settle(db::transaction& tx, const turn_request& request,
                           std::vector<bool>& settled) {
  settled.assign(request.settle.size(), false);
  std::set<std::int64_t> nonces;
  for (std::size_t i = 0; i < request.settle.size(); ++i) {
    const auto& s = request.settle[i];
    if (s.to == settlement::fate::remove) {
      nonces.insert(s.held.nonce);
    } else {
      settled[i] = move_on(tx, s);
    }
  }
  // A worker has one nonce, so this is one round but after an eviction.
  for (const auto nonce : nonces) remove_held_under(tx, nonce, request.settle, settled);
}

void sqlite_engine::remove_held_under(db::transaction& tx, std::int64_t nonce,
                                      std::span<const settlement> all, std::vector<bool>& settled) {
  json_pairs held;
  std::unordered_map<std::int64_t, std::size_t> position;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& s = all[i];
    if (s.to != settlement::fate::remove || s.held.nonce != nonce) continue;
    held.add(s.held.job, s.held.sequence);
    position.emplace(s.held.sequence, i);
  }

  using row = std::tuple<job_id, std::int64_t>;
  json_numbers released;
  for (const auto& [id, sequence] :
       tx.write<row>(unsafe_sql(text_.release_leases, held.take(), nonce))) {
    settled[position.at(sequence)] = true;
    released.add(id);
  }
  if (released.empty()) return;

  const auto ids = released.take();
  tx.write(unsafe_sql(text_.delete_jobs, ids));
  tx.write(unsafe_sql(text_.delete_pasts, ids));
}

bool sqlite_engine::move_on(db::transaction& tx, const settlement& s) {
  const auto id = s.held.job;
  const auto released =
      tx.write(unsafe_sql(text_.release_lease, id, s.held.sequence, s.held.nonce));
  if (released.rows_affected() != 1) return false;

  switch (s.to) {
    case settlement::fate::remove:
      break;
    case settlement::fate::ready:
      tx.write(unsafe_sql(text_.job_to_ready, id));
      break;
    case settlement::fate::later:
      tx.write(unsafe_sql(text_.insert_later, id, s.at));
      break;
    case settlement::fate::dead:
      tx.write(unsafe_sql(text_.insert_dead, id, s.at));
      break;
  }
  if (s.recorded) {
    tx.write(unsafe_sql(text_.upsert_past, id, s.past.errors, s.past.crashes, s.past.interruptions,
                        s.past.snoozes, s.reason));
  }
  return true;
}

void sqlite_engine::promote(db::transaction& tx, wall_time now) {
  const auto moved = tx.write(unsafe_sql(text_.promote_insert, now, most_promoted));
  if (moved.rows_affected() == 0) return;
  tx.write(unsafe_sql(text_.promote_delete, now, most_promoted));
}

}  // namespace scalekit::queue::detail

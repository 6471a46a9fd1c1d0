// What SQL engines tell people.

#include "queue/row_fault.hpp"
#include "queue/sql_engine.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace scalekit::queue::detail {

using db::unsafe_sql;

std::optional<job_status> sql_engine::status(job_id id, std::stop_token stop) {
  using row = std::tuple<std::string, std::string, job_priority, wall_time, int, bool, bool,
                         std::optional<wall_time>, int, int, int, int, std::string>;
  auto found = db_.read_optional<row>(unsafe_sql(common_.status, id), call(stop));
  if (!found) {
    // Ids are given in order and their jobs deleted only when finished. Asked in this order, a job
    // that ends meanwhile is found finished. On PostgreSQL so is one that a transaction drew which
    // was rolled back.
    const auto newest = db_.read_optional<job_id>(unsafe_sql(common_.newest_id), call(stop));
    if (id < 1 || id > newest.value_or(0)) return std::nullopt;
    return job_status{.id = id, .state = job_state::finished};
  }

  job_status s{.id = id, .state = job_state::ready};
  bool leased = false;
  bool dead = false;
  std::optional<wall_time> run_at;
  std::tie(s.kind, s.queue, s.priority, s.enqueued_at, s.max_attempts, leased, dead, run_at,
           s.errors, s.crashes, s.interruptions, s.snoozes, s.last_error) = std::move(*found);
  if (leased) s.state = job_state::running;
  if (dead) s.state = job_state::dead;
  if (run_at) {
    s.state = job_state::scheduled;
    s.run_at = *run_at;
  }
  return s;
}

queue_stats sql_engine::stats(wall_time now, std::stop_token stop) {
  return db_.transaction(
      [&](db::transaction& tx) {
        queue_stats s;
        using totals =
            std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t>;
        std::tie(s.ready, s.scheduled, s.running, s.dead, s.workers) =
            tx.read_one<totals>(unsafe_sql(common_.totals));
        using depth = std::tuple<std::string, std::int64_t, wall_time>;
        for (auto& [queue, ready, head] : tx.read<depth>(unsafe_sql(common_.depths))) {
          s.queues.push_back({.queue = std::move(queue),
                              .ready = ready,
                              .head_age = std::max(now - head, wall_time::duration::zero())});
        }
        return s;
      },
      reading(std::move(stop)));
}

std::vector<dead_letter> sql_engine::dead_letters(std::size_t limit, job_id after,
                                                  std::stop_token stop) {
  try {
    return read_letters(limit, after, stop);
  } catch (const error& e) {
    if (!is_rows_fault(e)) throw;
  }
  std::vector<dead_letter> letters;
  for (const auto id : db_.read<job_id>(unsafe_sql(common_.dead_ids, after, limit), call(stop))) {
    try {
      for (auto& letter : read_letters(1, id - 1, stop)) {
        if (letter.id == id) letters.push_back(std::move(letter));
      }
    } catch (const error& e) {
      if (!is_rows_fault(e)) throw;
      using row = std::tuple<wall_time, std::string>;
      if (auto found = db_.read_optional<row>(unsafe_sql(common_.dead_unread, id), call(stop))) {
        auto& [died_at, reason] = *found;
        letters.push_back({.id = id, .died_at = died_at, .reason = std::move(reason)});
      }
    }
  }
  return letters;
}

std::vector<dead_letter> sql_engine::read_letters(std::size_t limit, job_id after,
                                                  const std::stop_token& stop) {
  using row = std::tuple<job_id, std::string, std::string, bytes, wall_time, wall_time, std::string,
                         int, int>;
  std::vector<dead_letter> letters;
  for (auto& r : db_.read<row>(unsafe_sql(common_.dead_letters, after, limit), call(stop))) {
    auto& letter = letters.emplace_back();
    bytes payload;
    std::tie(letter.id, letter.kind, letter.queue, payload, letter.enqueued_at, letter.died_at,
             letter.reason, letter.errors, letter.crashes) = std::move(r);
    letter.payload.assign(reinterpret_cast<const char*>(payload.data()), payload.size());
  }
  return letters;
}

}  // namespace scalekit::queue::detail

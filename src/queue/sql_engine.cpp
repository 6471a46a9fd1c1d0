#include "queue/sql_engine.hpp"

#include <tuple>
#include <unistd.h>
#include <utility>

namespace scalekit::queue::detail {

using db::unsafe_sql;

sql_engine::sql_engine(db::client client, std::string prefix, std::chrono::nanoseconds call_timeout,
                       const dialect_texts& own)
    : db_(std::move(client)),
      prefix_(std::move(prefix)),
      call_timeout_(call_timeout),
      common_(prefix_, own) {}

void sql_engine::migrate_by(std::span<const std::string_view> steps) {
  std::vector<std::string> scripts;
  std::vector<std::string_view> all;
  scripts.reserve(steps.size());
  for (const auto step : steps) {
    all.push_back(scripts.emplace_back(with_prefix(step, prefix_)));
  }
  db_.migrate("queue." + prefix_, all, writing());
}

worker_identity sql_engine::enlist(std::int64_t nonce, std::chrono::microseconds stale_after,
                                   wall_time now) {
  const auto id = db_.write_one<std::int64_t>(
      unsafe_sql(common_.enlist, nonce, stale_after.count(), now, ::getpid()), call());
  return {.id = id, .nonce = nonce};
}

bool sql_engine::beat(const worker_identity& who, wall_time now) {
  return db_.write(unsafe_sql(common_.beat, who.id, who.nonce, now), call()).rows_affected() == 1;
}

void sql_engine::leave(const worker_identity& who) {
  db_.write(unsafe_sql(common_.leave, who.id, who.nonce), call());
}

std::vector<worker_sighting> sql_engine::workers() {
  std::vector<worker_sighting> seen;
  using row = std::tuple<std::int64_t, std::int64_t, std::int64_t>;
  for (const auto& [id, beats, stale_after] : db_.read<row>(unsafe_sql(common_.workers), call())) {
    seen.push_back({.id = id, .beats = beats, .stale_after_us = stale_after});
  }
  return seen;
}

bool sql_engine::evict(const worker_sighting& dead) {
  return db_.write(unsafe_sql(common_.evict, dead.id, dead.beats), call()).rows_affected() == 1;
}

bool sql_engine::holds(const lease& l) {
  return db_.read_one<int>(unsafe_sql(common_.holds, l.job, l.sequence, l.nonce), call()) == 1;
}

std::vector<orphan> sql_engine::orphans_of(const std::vector<orphan_row>& rows) {
  std::vector<orphan> found;
  for (const auto& [id, sequence, nonce, errors, crashes, interruptions, snoozes] : rows) {
    found.push_back({.held = {.job = id, .sequence = sequence, .nonce = nonce},
                     .past = {.errors = errors,
                              .crashes = crashes,
                              .interruptions = interruptions,
                              .snoozes = snoozes}});
  }
  return found;
}

}  // namespace scalekit::queue::detail

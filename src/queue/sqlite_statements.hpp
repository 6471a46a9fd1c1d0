#pragma once

#include "queue/sql_statements.hpp"

#include <string>
#include <string_view>

namespace scalekit::queue::detail {

inline constexpr dialect_texts sqlite_texts{
    .newest_id = "select seq from sqlite_sequence where name = '@job'",
    // With min(), SQLite takes the other columns from the row that has the minimum.
    .depths =
        "select r.queue, r.jobs, j.enqueued_at from (select queue, count(*) as jobs, min(key), id "
        "from @ready group by queue) r join @job j on j.id = r.id order by r.queue",
    .evict = "delete from @worker where id = $1 and beats = $2"};

/// What is SQLite's own, or fits its one writer.
struct sqlite_statements {
  explicit sqlite_statements(std::string_view prefix) : prefix_(prefix) {}

 private:
  std::string prefix_;
  std::string p(std::string_view text) const { return with_prefix(text, prefix_); }

  static std::string heads(std::string_view select, std::size_t kinds, std::size_t first) {
    std::string all;
    for (std::size_t i = 0; i < kinds; ++i) {
      all.append(i == 0 ? "" : " union all ").append("select * from (").append(select);
      all += " where r.queue = $1 and r.kind = $" + std::to_string(i + first) +
             " order by r.key, r.id limit $2)";
    }
    return "select * from (" + all + ") order by key, id limit $2";
  }

 public:
  // --- enqueue ---
  std::string insert_job =
      p("insert into @job (queue, kind, priority, key, max_attempts, enqueued_at, payload) "
        "values ($1, $2, $3, $4, $5, $6, $7) returning id");
  std::string insert_ready = p("insert into @ready (queue, kind, key, id) values ($1, $2, $3, $4)");
  std::string insert_later = p("insert into @later (id, run_at) values ($1, $2)");

  // --- settle ---
  // The cross join fixes the order: for each pair of the list, look up its lease.
  std::string release_leases =
      p("delete from @lease where id in (select l.id from json_each($1) e cross join @lease l on "
        "l.id = cast(e.key as integer) where l.sequence = e.value and l.nonce = $2) "
        "returning id, sequence");
  std::string delete_jobs = p("delete from @job where id in (select value from json_each($1))");
  std::string delete_pasts = p("delete from @past where id in (select value from json_each($1))");
  std::string release_lease =
      p("delete from @lease where id = $1 and sequence = $2 and nonce = $3");
  std::string job_to_ready =
      p("insert into @ready (queue, kind, key, id) select queue, kind, key, id from @job where id "
        "= $1");
  std::string insert_dead = p("insert into @dead (id, died_at) values ($1, $2)");
  std::string upsert_past =
      p("insert into @past (id, errors, crashes, interruptions, snoozes, last_error) "
        "values ($1, $2, $3, $4, $5, $6) on conflict (id) do update set errors = excluded.errors, "
        "crashes = excluded.crashes, interruptions = excluded.interruptions, "
        "snoozes = excluded.snoozes, last_error = case when excluded.last_error = '' "
        "then last_error else excluded.last_error end");

  // --- claim ---
  std::string is_enlisted = p("select count(*) from @worker where id = $1 and nonce = $2");
  // Both choose the same rows: nothing changes @later between them.
  std::string promote_insert =
      p("insert into @ready (queue, kind, key, id) select j.queue, j.kind, j.key, j.id from "
        "(select id from "
        "@later where run_at <= $1 order by run_at, id limit $2) t cross join @job j "
        "on j.id = t.id");
  std::string promote_delete =
      p("delete from @later where id in "
        "(select id from @later where run_at <= $1 order by run_at, id limit $2)");
  /// The heads of `kinds` kinds, merged: $1 the queue, $2 how many, $3 the length up to which a
  /// payload comes with its row, $4 and on the kinds.
  std::string choose(std::size_t kinds) const {
    return p(
        "select c.key, c.id, j.kind, length(j.payload), "
        "case when length(j.payload) <= $3 then j.payload end, j.max_attempts, "
        "coalesce(p.errors, 0), "
        "coalesce(p.crashes, 0), coalesce(p.interruptions, 0), coalesce(p.snoozes, 0) from (" +
        heads("select r.key, r.id from @ready r cross join @job j on j.id = r.id", kinds, 4) +
        ") c cross join @job j on j.id = c.id "
        "left join @past p on p.id = c.id order by c.key, c.id");
  }
  /// The same from the narrow rows alone: $1 the queue, $2 how many, $3 and on the kinds.
  std::string choose_unread(std::size_t kinds) const {
    return p(heads("select r.key, r.id, r.kind from @ready r", kinds, 3));
  }
  std::string read_payload = p("select payload from @job where id = $1");
  std::string read_job =
      p("select j.payload, j.max_attempts, coalesce(p.errors, 0), coalesce(p.crashes, 0), "
        "coalesce(p.interruptions, 0), coalesce(p.snoozes, 0) from @job j "
        "left join @past p on p.id = j.id where j.id = $1");
  std::string take_sequence =
      p("update @counter set value = value + $1 where name = 'lease' returning value");
  std::string insert_leases =
      p("insert into @lease (id, sequence, nonce, worker, claimed_at) "
        "select value, $1 + key + 1, $2, $3, $4 from json_each($5)");
  // What was chosen of a kind is the head of its part of the index, so a range names it. Rows
  // without their job (somebody deleted it by hand) are not chosen, and swept away with the range.
  std::string delete_ready =
      p("delete from @ready where queue = $1 and kind = $2 and (key, id) <= ($3, $4)");
  std::string glance =
      p("select exists (select 1 from @ready where queue in (select value from json_each($1)) and "
        "kind in (select value from json_each($2))), "
        "(select min(run_at) from @later)");

  std::string orphans =
      p("select l.id, l.sequence, l.nonce, coalesce(p.errors, 0), coalesce(p.crashes, 0), "
        "coalesce(p.interruptions, 0), coalesce(p.snoozes, 0) from @lease l "
        "left join @past p on p.id = l.id where l.worker not in (select id from @worker) "
        "order by l.id limit $1");

  std::string delete_dead = p("delete from @dead where id = $1");
  std::string redriven_to_ready =
      p("insert into @ready (queue, kind, key, id) select queue, kind, $2, id from @job where id = "
        "$1");
  std::string delete_job = p("delete from @job where id = $1");
  std::string delete_past = p("delete from @past where id = $1");
};

}  // namespace scalekit::queue::detail

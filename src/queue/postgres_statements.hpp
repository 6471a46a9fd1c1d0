#pragma once

#include "queue/sql_statements.hpp"

#include <string>
#include <string_view>

namespace scalekit::queue::detail {

inline constexpr dialect_texts postgres_texts{
    .newest_id = "select case when is_called then last_value else 0 end from @job_id",
    .depths =
        "select q.queue, q.jobs, j.enqueued_at from (select queue, count(*) as jobs from @ready "
        "group by queue) q cross join lateral (select r.id from @ready r where r.queue = q.queue "
        "order by r.key, r.id limit 1) h join @job j on j.id = h.id order by q.queue",
    // One that stands still in the middle of a turn holds a lock: whoever waits for it stands still
    // as well, and its own heart with it.
    .evict =
        "delete from @worker where id = (select id from @worker where id = $1 and beats = $2 "
        "for update skip locked)"};

/// What PostgreSQL alone understands.
struct postgres_statements {
  explicit postgres_statements(std::string_view prefix) : prefix_(prefix) {}

 private:
  std::string prefix_;
  std::string p(std::string_view text) const { return with_prefix(text, prefix_); }

 public:
  // --- enqueue ---
  // One statement, so that all of it is done or nothing: no savepoint is needed. The inner order is
  // that of the request, and ids are drawn in it.
  std::string enqueue =
      p("with fresh as materialized ("
        "select nextval('@job_id') as id, e.* from (select * from unnest($1::text[], $2::text[], "
        "$3::integer[], $4::bigint[], $5::integer[], $6::bigint[], $7::bytea[], $8::bigint[]) "
        "with ordinality as u (queue, kind, priority, key, max_attempts, enqueued_at, payload, "
        "run_at, place) order by place) e), "
        "jobs as (insert into @job (id, queue, kind, priority, key, max_attempts, enqueued_at, "
        "payload) select id, queue, kind, priority, key, max_attempts, enqueued_at, payload "
        "from fresh), "
        "at_once as (insert into @ready (queue, kind, key, id) "
        "select queue, kind, key, id from fresh where run_at is null), "
        "put_off as (insert into @later (id, run_at) "
        "select id, run_at from fresh where run_at is not null) "
        "select id from fresh order by place");

  // --- a turn ---
  // Plans are kept, and one that was made while the tables were empty must still be right when they
  // are full: whatever reads a whole table is ruled out for the transaction. That makes estimates
  // look enormous, for which the server would compile each statement. A worker that is stopped in
  // the middle of it must not keep its locks.
  //
  // The lock lets the heartbeat go on, and keeps the worker from being struck off until what it
  // claims here is to be seen by those who look for orphans.
  std::string open_turn =
      p("select set_config('enable_seqscan', 'off', true), "
        "set_config('enable_bitmapscan', 'off', true), "
        "set_config('enable_hashjoin', 'off', true), "
        "set_config('enable_mergejoin', 'off', true), "
        "set_config('enable_sort', 'off', true), set_config('jit', 'off', true), "
        "set_config('idle_in_transaction_session_timeout', $4, true), "
        "(select count(*) from (select 1 from @worker where id = $1 and nonce = $2 "
        "for key share) w), "
        "exists (select 1 from @later where run_at <= $3)");

  // --- settle ---
  // Locked in the order of their ids, so that two who settle the same ones cannot deadlock.
  std::string release_leases =
      p("with held as materialized (select l.id from unnest($1::bigint[], $2::bigint[], "
        "$3::bigint[]) as e (id, sequence, nonce) join @lease l on l.id = e.id "
        "and l.sequence = e.sequence and l.nonce = e.nonce order by l.id for update of l) "
        "delete from @lease l using held h where l.id = h.id returning l.id, l.sequence");
  std::string delete_jobs =
      p("with past as (delete from @past where id = any($1)) delete from @job where id = any($1)");
  std::string jobs_to_ready =
      p("insert into @ready (queue, kind, key, id) select queue, kind, key, id from @job "
        "where id = any($1)");
  std::string insert_later =
      p("insert into @later (id, run_at) select * from unnest($1::bigint[], $2::bigint[])");
  std::string insert_dead =
      p("insert into @dead (id, died_at) select * from unnest($1::bigint[], $2::bigint[])");
  std::string upsert_past =
      p("insert into @past as old (id, errors, crashes, interruptions, snoozes, last_error) "
        "select * from unnest($1::bigint[], $2::integer[], $3::integer[], $4::integer[], "
        "$5::integer[], $6::text[]) on conflict (id) do update set errors = excluded.errors, "
        "crashes = excluded.crashes, interruptions = excluded.interruptions, "
        "snoozes = excluded.snoozes, last_error = case when excluded.last_error = '' "
        "then old.last_error else excluded.last_error end");
  std::string complete =
      p("with released as (delete from @lease where id = $1 and sequence = $2 and nonce = $3 "
        "returning id), "
        "past as (delete from @past p using released r where p.id = r.id), "
        "job as (delete from @job j using released r where j.id = r.id) "
        "select count(*) from released");

  // --- claim ---
  std::string promote =
      p("with due as materialized (select id from @later where run_at <= $1 "
        "order by run_at, id limit $2 for update skip locked), "
        "gone as (delete from @later l using due d where l.id = d.id returning l.id) "
        "insert into @ready (queue, kind, key, id) "
        "select j.queue, j.kind, j.key, j.id from gone g join @job j on j.id = g.id");

  // $1 the queue, $2 the kinds, $3 how far to look, $4 how many, $5 bytes, $6 whether one may be
  // larger than that, $7 nonce, $8 worker, $9 now.
  //
  // A union of ordered heads cannot be locked lazily, and a lock on more than is taken would hide
  // jobs from others. So the heads are read without locks, merged, and locked one by one until
  // there are enough: what others hold is skipped, what they have taken is gone. Rows of the ready
  // table never change, so a locked one is still what was read. The first column is how many were
  // seen: when as many as were to be looked at, and others held some of them, there may be more
  // behind.
  std::string claim = p(
      "with heads as materialized (select h.kind, h.key, h.id from unnest($2::text[]) as k (kind) "
      "cross join lateral (select r.kind, r.key, r.id from @ready r where r.queue = $1 "
      "and r.kind = k.kind order by r.key, r.id limit $3) h order by h.key, h.id limit $3), "
      "locked as materialized (select r.kind, r.key, r.id from heads h join @ready r "
      "on r.queue = $1 and r.kind = h.kind and r.key = h.key and r.id = h.id "
      "order by h.key, h.id limit $4 for update of r skip locked), "
      "sized as materialized (select l.kind, l.key, l.id, j.id is not null as has_job, "
      "coalesce(octet_length(j.payload), 0) as bytes, "
      "sum(coalesce(octet_length(j.payload), 0)) over w <= $5::bigint "
      "or ($6::bigint = 1 and row_number() over w = 1) as fits "
      "from locked l left join @job j on j.id = l.id window w as (order by l.key, l.id)), "
      "taken as (delete from @ready r using sized s where r.queue = $1 and r.kind = s.kind "
      "and r.key = s.key and r.id = s.id and s.fits), "
      "leased as (insert into @lease (id, sequence, nonce, worker, claimed_at) "
      "select s.id, nextval('@lease_sequence'), $7, $8, $9 from (select id from sized "
      "where fits and has_job order by key, id) s returning id, sequence) "
      "select (select count(*) from heads), s.id, s.kind, s.bytes, s.fits, l.sequence "
      "from (select 1) as always left join sized s on true left join leased l on l.id = s.id "
      "order by s.key, s.id");
  // Without its payload a job is what it takes to give it up.
  std::string read_jobs =
      p("select j.id, j.payload, j.max_attempts, coalesce(p.errors, 0), coalesce(p.crashes, 0), "
        "coalesce(p.interruptions, 0), coalesce(p.snoozes, 0) from @job j "
        "left join @past p on p.id = j.id where j.id = any($1)");
  std::string delete_leases = p("delete from @lease where id = any($1)");

  std::string glance =
      p("select exists (select 1 from @ready where queue = any($1) and kind = any($2)), "
        "(select min(run_at) from @later)");

  // What a handler of the dead one is about to finish is left alone: to wait for it is to stand
  // still as well.
  std::string orphans =
      p("select l.id, l.sequence, l.nonce, coalesce(p.errors, 0), coalesce(p.crashes, 0), "
        "coalesce(p.interruptions, 0), coalesce(p.snoozes, 0) from @lease l "
        "left join @past p on p.id = l.id "
        "where not exists (select 1 from @worker w where w.id = l.worker) order by l.id limit $1 "
        "for update of l skip locked");

  std::string redrive =
      p("with redriven as (delete from @dead where id = $1 returning id), "
        "past as (delete from @past p using redriven d where p.id = d.id), "
        "ready as (insert into @ready (queue, kind, key, id) select j.queue, j.kind, $2, j.id "
        "from redriven d join @job j on j.id = d.id) select count(*) from redriven");
  std::string delete_dead_letter =
      p("with gone as (delete from @dead where id = $1 returning id), "
        "past as (delete from @past p using gone d where p.id = d.id), "
        "job as (delete from @job j using gone d where j.id = d.id) select count(*) from gone");
};

}  // namespace scalekit::queue::detail

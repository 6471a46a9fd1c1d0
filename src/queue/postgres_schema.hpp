#pragma once

#include <array>
#include <string_view>

// The tables of the PostgreSQL engine. `@` stands for the prefix of their names.
//
// As on SQLite (sqlite_schema.hpp), a job's row is written once and deleted once, and one of four
// narrow tables says where it is. Their rows are inserted and deleted, never updated: whoever has
// locked one knows that it is as it was seen. The tables that are claimed from and to are vacuumed
// early, since what is dead in them lies at the head, where every claim begins to read.

namespace scalekit::queue::detail {

inline constexpr std::array<std::string_view, 1> postgres_schema_steps{R"(
-- a sequence and no column of its own kind: ids are drawn before the rows are written
create sequence @job_id;
create table @job (
  id bigint primary key,
  queue text collate "C" not null,
  kind text collate "C" not null,
  priority integer not null,
  key bigint not null,
  max_attempts integer not null,
  enqueued_at bigint not null,
  payload bytea not null
);

create table @ready (
  queue text collate "C" not null,
  kind text collate "C" not null,
  key bigint not null,
  id bigint not null,
  primary key (queue, kind, key, id)
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

create table @later (
  id bigint primary key,
  run_at bigint not null
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
create index @later_run_at on @later (run_at, id);

-- of no table: a lease's number is never given again, whatever is rolled back
create sequence @lease_sequence;
create table @lease (
  id bigint primary key,
  sequence bigint not null,
  nonce bigint not null,
  worker bigint not null,
  claimed_at bigint not null
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

-- only for jobs whose first attempt did not simply succeed
create table @past (
  id bigint primary key,
  errors integer not null,
  crashes integer not null,
  interruptions integer not null,
  snoozes integer not null,
  last_error text not null
);

create table @dead (
  id bigint primary key,
  died_at bigint not null
);

-- room in its pages, so that a heartbeat touches no index
create table @worker (
  id bigint generated always as identity primary key,
  nonce bigint not null,
  beats bigint not null,
  stale_after bigint not null,
  enlisted_at bigint not null,
  beaten_at bigint not null,
  pid integer not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
)"};

}  // namespace scalekit::queue::detail

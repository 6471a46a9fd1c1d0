#pragma once

#include <array>
#include <string_view>

// The tables of the SQLite engine. `@` stands for the prefix of their names.
//
// A job's row is written once, when it is enqueued, and deleted once. Where the job is, is told by
// which narrow table names it: ready, later, lease or dead, exactly one. Their rows are inserted
// and deleted, never updated, so claiming never rewrites a payload, and the index that is claimed
// from holds nothing but what can be claimed, in the order in which it is claimed: within a kind,
// as a worker claims only the kinds that it knows.

namespace scalekit::queue::detail {

inline constexpr std::array<std::string_view, 1> sqlite_schema_steps{R"(
-- autoincrement: the id of a job is never given to another one
create table @job (
  id integer primary key autoincrement,
  queue text not null,
  kind text not null,
  priority integer not null,
  key integer not null,
  max_attempts integer not null,
  enqueued_at integer not null,
  payload blob not null
) strict;

create table @ready (
  queue text not null,
  kind text not null,
  key integer not null,
  id integer not null,
  primary key (queue, kind, key, id)
) strict, without rowid;

create table @later (
  id integer primary key,
  run_at integer not null
) strict;
create index @later_run_at on @later (run_at);

create table @lease (
  id integer primary key,
  sequence integer not null,
  nonce integer not null,
  worker integer not null,
  claimed_at integer not null
) strict;

-- only for jobs whose first attempt did not simply succeed
create table @past (
  id integer primary key,
  errors integer not null,
  crashes integer not null,
  interruptions integer not null,
  snoozes integer not null,
  last_error text not null
) strict;

create table @dead (
  id integer primary key,
  died_at integer not null
) strict;

create table @worker (
  id integer primary key autoincrement,
  nonce integer not null,
  beats integer not null,
  stale_after integer not null,
  enlisted_at integer not null,
  beaten_at integer not null,
  pid integer not null
) strict;

create table @counter (
  name text primary key,
  value integer not null
) strict, without rowid;
insert into @counter (name, value) values ('lease', 0);
)"};

}  // namespace scalekit::queue::detail

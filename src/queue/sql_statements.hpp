#pragma once

#include "queue/table_prefix.hpp"

#include <string>
#include <string_view>

namespace scalekit::queue::detail {

/// What asks for the same on every database, but not in the same words.
struct dialect_texts {
  /// The highest id that was given, or no row.
  std::string_view newest_id;
  /// For each queue with ready jobs: its name, how many, and when the first of them was enqueued.
  std::string_view depths;
  /// $1 the worker, $2 its beats.
  std::string_view evict;
};

/// The statements that every SQL database takes alike, and those of dialect_texts.
struct sql_statements {
  sql_statements(std::string_view prefix, const dialect_texts& own)
      : prefix_(prefix), newest_id(p(own.newest_id)), depths(p(own.depths)), evict(p(own.evict)) {}

 private:
  std::string prefix_;
  std::string p(std::string_view text) const { return with_prefix(text, prefix_); }

 public:
  std::string newest_id;
  std::string depths;
  std::string evict;

  std::string holds =
      p("select count(*) from @lease where id = $1 and sequence = $2 and nonce = $3");

  // --- the register of workers ---
  std::string enlist =
      p("insert into @worker (nonce, beats, stale_after, enlisted_at, beaten_at, pid) "
        "values ($1, 0, $2, $3, $3, $4) returning id");
  std::string beat =
      p("update @worker set beats = beats + 1, beaten_at = $3 where id = $1 and nonce = $2");
  std::string leave = p("delete from @worker where id = $1 and nonce = $2");
  std::string workers = p("select id, beats, stale_after from @worker order by id");

  // --- for people ---
  std::string status =
      p("select j.kind, j.queue, j.priority, j.enqueued_at, j.max_attempts, "
        "l.id is not null, d.id is not null, t.run_at, "
        "coalesce(p.errors, 0), coalesce(p.crashes, 0), coalesce(p.interruptions, 0), "
        "coalesce(p.snoozes, 0), coalesce(p.last_error, '') from @job j "
        "left join @lease l on l.id = j.id left join @dead d on d.id = j.id "
        "left join @later t on t.id = j.id left join @past p on p.id = j.id where j.id = $1");
  std::string totals =
      p("select (select count(*) from @ready), (select count(*) from @later), "
        "(select count(*) from @lease), (select count(*) from @dead), "
        "(select count(*) from @worker)");
  std::string dead_letters =
      p("select d.id, j.kind, j.queue, j.payload, j.enqueued_at, d.died_at, "
        "coalesce(p.last_error, ''), coalesce(p.errors, 0), coalesce(p.crashes, 0) from @dead d "
        "join @job j on j.id = d.id left join @past p on p.id = d.id where d.id > $1 "
        "order by d.id limit $2");
  std::string dead_ids = p("select id from @dead where id > $1 order by id limit $2");
  std::string dead_unread = p(
      "select d.died_at, coalesce(p.last_error, '') from @dead d left join @past p on p.id = d.id "
      "where d.id = $1");
};

}  // namespace scalekit::queue::detail

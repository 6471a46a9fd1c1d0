#include "db/shards/move_worker.hpp"

#include "db/bulk_text.hpp"
#include "scalekit/core/error.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace scalekit::db::detail {
namespace {

using column_row = std::tuple<std::string, std::string, bool, bool>;

void begin_session(transaction& tx, const move_sql& texts) {
  if (!texts.session().empty()) tx.read<std::string>(unsafe_sql(std::string(texts.session())));
}

std::vector<column_row> columns_of(transaction& tx, const move_sql& texts, const shard_table& t) {
  return tx.read<column_row>(
      unsafe_sql(texts.columns(), texts.is_postgres() ? quoted_table(t.name) : t.name));
}

bool is_same(const std::vector<moved_row>& a, const std::vector<moved_row>& b) {
  return std::ranges::equal(a, b, [](const moved_row& x, const moved_row& y) {
    return x.ids() == y.ids() && x.has_image_of(y);
  });
}

/// Rows that differ without a change that is still to be copied. `source` and, after it, `pending`
/// were read after `target`, and nothing was copied meanwhile: whatever has changed is in it.
std::size_t wrong_rows(const std::vector<moved_row>& target, const std::vector<moved_row>& source,
                       const std::vector<moved_row>& pending) {
  std::set<std::string> expected;
  for (const auto& change : pending) expected.insert(change.ids());
  std::map<std::string, const moved_row*> there;
  for (const auto& row : target) there.emplace(row.ids(), &row);
  std::size_t wrong = 0;
  for (const auto& row : source) {
    const auto at = there.extract(row.ids());
    const bool is_same_row = !at.empty() && at.mapped()->has_image_of(row);
    if (!is_same_row && !expected.contains(row.ids())) ++wrong;
  }
  // What is left has no row at the source.
  for (const auto& [ids, row] : there) {
    if (!expected.contains(ids)) ++wrong;
  }
  return wrong;
}

}  // namespace

error taken_over(const shard_move& move) {
  return {errc::lease_lost,
          "range_move: move '" + move.id + "' was taken over, or ended, by another mover"};
}

move_worker::move_worker(client source, client target, shard_move move, std::size_t page_rows,
                         std::chrono::nanoseconds fence_timeout,
                         std::function<void(std::string_view)> about_to)
    : source_(std::move(source)),
      target_(std::move(target)),
      move_(std::move(move)),
      page_rows_(page_rows),
      page_changes_(std::max<std::size_t>(page_rows, 500)),
      fence_timeout_(fence_timeout),
      about_to_(std::move(about_to)),
      sql_(source_.dialect(), move_.places) {}

/// A transaction of the mover: on the right shard, for the right move, and let through by fences.
template <class Body>
void move_worker::change(client& where, std::string_view what, Body body,
                         std::chrono::nanoseconds timeout) {
  if (about_to_) about_to_(what);
  transaction_options options;
  if (timeout.count() > 0) options.timeout = timeout;
  where.transaction(
      [&](transaction& tx) {
        begin_session(tx, sql_);
        const auto mine =
            tx.write(sql("update scalekit_shard_mover set owner = owner"
                         " where move = $1 and owner = $2",
                         move_.id, move_.owner));
        if (mine.rows_affected() != 1) throw taken_over(move_);
        tx.write(sql("insert into scalekit_shard_gate (is_open) values (1)"));
        body(tx);
        tx.write(sql("delete from scalekit_shard_gate"));
      },
      options);
}

template <class Body>
auto move_worker::look(client& where, Body body) {
  // On PostgreSQL it sets how values are written, which is no business of a read-only transaction.
  return where.transaction(
      [&](transaction& tx) {
        begin_session(tx, sql_);
        return body(tx);
      },
      {.read_only = !sql_.is_postgres()});
}

std::vector<moved_row> move_worker::read_rows(transaction& tx, const statement& query,
                                              std::size_t image, std::size_t all) {
  moved_rows rows(image, all);
  tx.run(access::read, query, {}, &rows);
  return rows.take();
}

void move_worker::claim() {
  for (auto* where : {&target_, &source_}) {
    if (about_to_) about_to_(where == &target_ ? "claim the target" : "claim the source");
    where->transaction([&](transaction& tx) {
      tx.run_script(sql_.bookkeeping());
      tx.write(
          sql("insert into scalekit_shard_mover (move, owner, progress) values ($1, $2, $3)"
              " on conflict (move) do update set owner = excluded.owner"
              " where scalekit_shard_mover.owner < excluded.owner",
              move_.id, move_.owner, to_json(move_progress{})));
    });
  }
  copied_ = look(target_, [&](transaction& tx) {
    return parse_progress(tx.read_one<std::string>(
        sql("select progress from scalekit_shard_mover where move = $1", move_.id)));
  });
  if (move_.phase != move_phase::aborting) return check_tables();
  // What is not on both was never prepared.
  tables_.clear();
  for (const auto& names : move_.tables) {
    const auto read = [&](transaction& tx) { return columns_of(tx, sql_, names); };
    if (!look(source_, read).empty() && !look(target_, read).empty())
      tables_.push_back({names, {}, {}});
  }
}

void move_worker::check_tables() {
  tables_.clear();
  for (const auto& names : move_.tables) {
    const auto read = [&](transaction& tx) { return columns_of(tx, sql_, names); };
    const auto here = look(source_, read), there = look(target_, read);
    if (here.empty() || here != there) {
      throw error(errc::invalid_argument,
                  "range_move: table '" + names.name +
                      "' is not there, or has not the same columns with the same types in the "
                      "same order on '" +
                      move_.from + "' and on '" + move_.to + "'");
    }
    moved_table table{names, {}, {}};
    std::set<std::string> known;
    for (const auto& [name, type, is_computed, is_fixed] : here) {
      known.insert(name);
      if (!is_computed) table.columns.push_back(name);
      if (is_fixed) table.fixed.push_back(name);
    }
    auto needed = names.ids;
    needed.push_back(names.column);
    for (const auto& name : needed) {
      if (known.contains(name)) continue;
      throw error(errc::invalid_argument,
                  "range_move: table '" + names.name + "' has no column '" + name + "'");
    }
    tables_.push_back(std::move(table));
  }
}

void move_worker::prepare() {
  for (const auto& t : tables_) {
    const auto found = look(target_, [&](transaction& tx) {
      return tx.read_one<std::int64_t>(unsafe_sql(sql_.has_rows(t)));
    });
    if (found == 0) continue;
    throw error(errc::constraint_violation, "range_move: table '" + t.names.name + "' on '" +
                                                move_.to + "' has rows of the range " +
                                                to_string(move_.places) +
                                                " already, which belongs to '" + move_.from + "'");
  }
  change(
      source_, "record changes at the source",
      [&](transaction& tx) {
        for (const auto& t : tables_) tx.run_script(sql_.capture(t.names));
      },
      fence_timeout_);
}

std::vector<moved_row> move_worker::page(client& where, const moved_table& t,
                                         const value_list& after) {
  return look(where, [&](transaction& tx) {
    auto query = unsafe_sql(sql_.select_page(t, after.size() > 0, page_rows_));
    bind(query, after);
    return read_rows(tx, query, sql_.image_columns(t), sql_.row_columns(t));
  });
}

std::vector<moved_row> move_worker::between(transaction& tx, const moved_table& t,
                                            const value_list& after, const value_list& until) {
  auto query = unsafe_sql(sql_.select_between(t, after.size() > 0, until.size() > 0));
  bind(query, after);
  bind(query, until);
  return read_rows(tx, query, sql_.image_columns(t), sql_.row_columns(t));
}

std::vector<moved_row> move_worker::between(client& where, const moved_table& t,
                                            const value_list& after, const value_list& until) {
  return look(where, [&](transaction& tx) { return between(tx, t, after, until); });
}

void move_worker::put(transaction& tx, const moved_table& t, const std::vector<moved_row>& rows) {
  std::int64_t changed = 0;
  for (std::size_t i = 0; i < rows.size();) {
    const auto count = rows_of_next(rows.size() - i, sql_.most_rows());
    auto query = unsafe_sql(sql_.upsert(t, count));
    for (std::size_t k = 0; k < count; ++k) bind(query, rows[i + k].image);
    changed += tx.write(query).rows_affected();
    i += count;
  }
  if (changed == static_cast<std::int64_t>(rows.size())) return;
  throw error(errc::constraint_violation, "range_move: the ids of table '" + t.names.name +
                                              "' are not unique over all shards: '" + move_.to +
                                              "' has rows of its own with some of them");
}

void move_worker::remove(transaction& tx, const moved_table& t,
                         const std::vector<const moved_row*>& changes) {
  for (std::size_t i = 0; i < changes.size();) {
    const auto count = rows_of_next(changes.size() - i, sql_.most_rows());
    auto query = unsafe_sql(sql_.delete_rows(t, count));
    for (std::size_t k = 0; k < count; ++k) bind(query, changes[i + k]->place, 1);
    tx.write(query);
    i += count;
  }
}

bool move_worker::copy_page() {
  if (copied_.table >= tables_.size()) return true;
  const auto& t = tables_[copied_.table];
  const auto rows = page(source_, t, copied_.after);
  auto next = copied_;
  if (rows.size() < page_rows_) {
    next = {copied_.table + 1, {}};
  } else {
    next.after = rows.back().place;
  }
  change(target_, "copy a page", [&](transaction& tx) {
    put(tx, t, rows);
    tx.write(sql("update scalekit_shard_mover set progress = $1 where move = $2", to_json(next),
                 move_.id));
  });
  copied_ = std::move(next);
  counters_.rows_copied += rows.size();
  return copied_.table >= tables_.size();
}

move_worker::replayed move_worker::replay() {
  replayed all{0, true};
  for (const auto& t : tables_) {
    const auto changes = replay(t);
    all.changes += changes;
    all.is_all &= changes < page_changes_;
  }
  return all;
}

std::size_t move_worker::replay(const moved_table& t) {
  // The rows are read after their changes: what they are then is at least as new.
  const auto [changes, rows] = look(source_, [&](transaction& tx) {
    auto recorded =
        read_rows(tx, unsafe_sql(sql_.select_changes(t, page_changes_)), 0, 1 + t.names.ids.size());
    std::vector<moved_row> now;
    if (!recorded.empty()) {
      now = read_rows(tx,
                      unsafe_sql(sql_.select_changed(t), recorded.front().place[0].integer(),
                                 recorded.back().place[0].integer()),
                      sql_.image_columns(t), sql_.row_columns(t));
    }
    return std::pair(std::move(recorded), std::move(now));
  });
  if (changes.empty()) return 0;
  std::set<std::string> known;
  for (const auto& each : rows) known.insert(each.ids());
  std::vector<const moved_row*> gone;
  for (const auto& change : changes) {
    if (known.insert(change.ids()).second) gone.push_back(&change);
  }
  change(target_, "copy changes", [&](transaction& tx) {
    put(tx, t, rows);
    remove(tx, t, gone);
  });
  // By number: others may have appeared among them since.
  std::vector<std::int64_t> numbers;
  for (const auto& change : changes) numbers.push_back(change.place[0].integer());
  change(source_, "forget changes that are copied", [&](transaction& tx) {
    const auto text = sql_.delete_change(t);
    if (sql_.is_postgres()) {
      tx.write(unsafe_sql(text, numbers));
      return;
    }
    for (const auto number : numbers) tx.write(unsafe_sql(text, number));
  });
  counters_.changes_copied += changes.size();
  return changes.size();
}

/// Copies all changes that are recorded now; those that come meanwhile may wait.
void move_worker::catch_up(const moved_table& t) {
  const auto recorded_from = [&](std::string_view text, std::int64_t number) {
    return look(source_, [&](transaction& tx) {
      return tx.read_one<std::int64_t>(unsafe_sql({std::string(text)}, number));
    });
  };
  const auto last = recorded_from(sql_.last_change(t), 0);
  while (recorded_from(sql_.count_changes(t), last) > 0) replay(t);
}

bool move_worker::verify_page() {
  if (verified_.table >= tables_.size()) return true;
  const auto& t = tables_[verified_.table];
  const auto first = page(source_, t, verified_.after);
  const bool is_last = first.size() < page_rows_;
  const auto until = is_last ? value_list{} : first.back().place;
  auto rows = first;
  auto target = between(target_, t, verified_.after, until);
  if (!is_same(rows, target)) {
    catch_up(t);
    target = between(target_, t, verified_.after, until);
    std::vector<moved_row> pending;
    std::tie(rows, pending) = look(source_, [&](transaction& tx) {
      auto now = between(tx, t, verified_.after, until);
      constexpr std::size_t all = 1'000'000'000;
      return std::pair(std::move(now), read_rows(tx, unsafe_sql(sql_.select_changes(t, all)), 0,
                                                 1 + t.names.ids.size()));
    });
    if (const auto wrong = wrong_rows(target, rows, pending); wrong > 0) {
      throw error(errc::corrupt, "range_move: " + std::to_string(wrong) + " rows of table '" +
                                     t.names.name + "' differ on '" + move_.from + "' and on '" +
                                     move_.to +
                                     "', and no change to them was recorded: were they written "
                                     "where triggers do not see it?");
    }
  }
  counters_.rows_verified += rows.size();
  if (is_last) {
    verified_ = {verified_.table + 1, {}};
  } else {
    verified_.after = until;
  }
  return verified_.table >= tables_.size();
}

void move_worker::set_fence(client& where, std::string_view what, bool away) {
  change(
      where, what,
      [&](transaction& tx) {
        for (const auto& t : tables_) {
          const auto stored = tx.read_optional<std::string>(
              sql("select ranges from scalekit_shard_fence where name = $1", t.names.name));
          const auto old = stored ? parse_ranges(*stored) : range_list{};
          const auto now = away ? with(old, move_.places) : without(old, move_.places);
          if (now == old) continue;
          tx.run_script(sql_.fence(t.names, now));
          tx.write(
              sql("insert into scalekit_shard_fence (name, ranges) values ($1, $2)"
                  " on conflict (name) do update set ranges = excluded.ranges",
                  t.names.name, to_json(now)));
        }
      },
      fence_timeout_);
}

void move_worker::fence() {
  set_fence(source_, "fence the source", true);
}

void move_worker::lift() {
  set_fence(target_, "lift the fence of the target", false);
}

void move_worker::unfence() {
  set_fence(source_, "lift the fence of the source", false);
  release();
}

void move_worker::release() {
  change(
      source_, "end the recording of changes",
      [&](transaction& tx) {
        for (const auto& t : tables_) tx.run_script(sql_.release(t.names));
      },
      fence_timeout_);
}

/// Backwards: tables that refer to others come after them.
bool move_worker::delete_page(client& where, std::string_view what) {
  if (deleting_ >= tables_.size()) return true;
  const auto& t = tables_[tables_.size() - 1 - deleting_];
  std::int64_t deleted = 0;
  change(where, what, [&](transaction& tx) {
    deleted = tx.write(unsafe_sql(sql_.delete_page(t, page_rows_))).rows_affected();
  });
  counters_.rows_deleted += static_cast<std::uint64_t>(deleted);
  if (deleted == 0) ++deleting_;
  return deleting_ >= tables_.size();
}

void move_worker::forget() {
  for (auto* where : {&source_, &target_}) {
    if (about_to_) about_to_(where == &source_ ? "leave the source" : "leave the target");
    where->write(sql("delete from scalekit_shard_mover where move = $1 and owner = $2", move_.id,
                     move_.owner));
  }
}

}  // namespace scalekit::db::detail

#include "db/call_site.hpp"
#include "db/content_size.hpp"
#include "db/sqlite/backend.hpp"

#include <algorithm>
#include <utility>

// Writes outside transactions. Who gets the writer after a wait runs what waits behind him as well
// and commits once: the commit, which waits for the disk, is what a small write costs.

namespace scalekit::db::sqlite {

using detail::access;
using detail::companions;
using detail::lease;
using std::chrono::steady_clock;

namespace {

/// A write without a thread of its caller's, and what it points to.
struct pending_write {
  pending_write(statement q, call_options o, std::shared_ptr<detail::async_call> c,
                std::chrono::nanoseconds default_timeout)
      : query(std::move(q)),
        options(std::move(o)),
        call(std::move(c)),
        also_stop(call->stop()),
        write(query, call->rows(), frame_of(options, default_timeout)) {
    write.call.stops[1] = &also_stop;
  }

  const statement query;
  const call_options options;
  const std::shared_ptr<detail::async_call> call;
  const std::stop_token also_stop;
  queued_write write;
};

void throw_if_stopped(const queued_write& w) {
  for (const auto* stop : w.call.stops) {
    if (stop != nullptr) sqlite::throw_if_stopped(*stop, w.query->site());
  }
}

statement_end::cause cause_of(const std::exception_ptr& failure) {
  const auto code = to_error(failure).code();
  if (code == errc::execution_timeout) return statement_end::cause::out_of_time;
  const bool stopped = code == errc::cancelled || code == errc::closed;
  return stopped ? statement_end::cause::stopped : statement_end::cause::failure;
}

}  // namespace

std::size_t queued_write::bytes() const noexcept {
  return query->text().size() + detail::content_size(query->parameters());
}

write_result sqlite_backend::run_write(const statement& query, const call_options& options,
                                       detail::row_sink* rows, const call_frame& call) {
  queued_write mine(query, rows, call);
  auto request = request_for(query.site(), call, false);
  request.want = &mine;
  bool waited = false;
  lease lent;
  try {
    lent = writer_.pool->take(request, options.stop, waited);
  } catch (...) {
    track_refusal(query, call, std::current_exception());
    throw;
  }
  if (!lent) return mine.result();
  if (!waited) return run_with(std::move(lent), writer_, access::write, query, rows, call);
  mine.call.acquired = steady_clock::now();
  return run_queued(std::move(lent), mine);
}

void sqlite_backend::async_write(statement&& query, call_options&& options,
                                 std::shared_ptr<detail::async_call> call) {
  auto task = std::make_shared<pending_write>(std::move(query), std::move(options), std::move(call),
                                              settings_.params.statement_timeout);
  auto request = request_for(task->query.site(), task->write.call, false);
  request.want = &task->write;
  auto run = [self = shared_from_this(), task](std::exception_ptr e, lease lent) {
    auto& mine = task->write;
    write_result result;
    try {
      if (e) {
        self->track_refusal(task->query, mine.call, e);
      } else if (!lent) {
        result = mine.result();
      } else {
        mine.call.acquired = steady_clock::now();
        throw_if_stopped(mine);
        result = self->run_queued(std::move(lent), mine);
      }
    } catch (...) {
      e = std::current_exception();
    }
    task->call->finish(std::move(e), std::move(result));
  };
  writer_.pool->async_take(request, task->options.stop, task->also_stop, std::move(run));
}

write_result sqlite_backend::run_queued(lease lent, queued_write& mine) {
  auto& s = writer_.slots[lent.slot()];
  connect(writer_, s, mine.call);
  // Before the lease ends.
  struct visit {
    sqlite_backend& self;
    slot& visited;
    ~visit() { self.leave(visited); }
  } visit{*this, s};
  companions others(*writer_.pool);
  if (!mine.alone && others.has_next() && run_group(s, mine, others)) return mine.result();
  connect(writer_, s, mine.call);
  return run_on(s, access::write, *mine.query, mine.rows, mine.call);
}

/// False when `mine` has yet to be run, alone.
bool sqlite_backend::run_group(slot& s, queued_write& mine, companions& others) {
  auto now = steady_clock::now();
  write_group group(now);
  auto admits = [&](const detail::errand& e) {
    const auto& w = static_cast<const queued_write&>(e);
    return group.admits(w.bytes(), w.call.until.when(), now) &&
           !s.conn->is_alone(w.query->text(), now);
  };
  if (!admits(mine)) return false;
  std::vector<queued_write*> members;
  members.reserve(write_group::max_writes);
  try {
    s.conn->control("begin immediate", limits_of(mine.call));
  } catch (const error&) {
    // Nobody else is concerned yet. Run alone, it fails in its own words, or not any more.
    return false;
  }
  const queued_write* stopped = nullptr;
  try {
    auto last = verdict::go_on;
    for (auto* w = &mine; w != nullptr;) {
      members.push_back(w);
      now = steady_clock::now();
      group.add(w->bytes(), w->call.until.when(), now);
      last = run_member(s, *w, now);
      if (last == verdict::break_up_slow) {
        s.conn->keep_alone(w->query->text(), now + write_group::alone_for);
      }
      if (last == verdict::break_up_without) stopped = w;
      if (last != verdict::go_on) break;
      now = steady_clock::now();
      w = static_cast<queued_write*>(others.next(admits));
    }
    if (last == verdict::go_on) {
      commit_group(s, members);
      return true;
    }
  } catch (...) {
    // The commit failed, or memory ran out: each will meet that by itself, or not.
  }
  break_up(s, members, stopped);
  others.part();
  return mine.done;
}

verdict sqlite_backend::run_member(slot& s, queued_write& w, time_point now) {
  statement_end end;
  w.call.acquired = now;
  if (settings_.params.tracker) w.report.first_row = w.call.begun;
  try {
    throw_if_stopped(w);
    auto limits = limits_of(w.call);
    limits.until = std::min(limits.until, now + write_group::max_statement);
    s.conn->run(access::write, *w.query, w.rows, limits, w.report);
  } catch (...) {
    w.failure = std::current_exception();
    end.why = cause_of(w.failure);
  }
  end.late = w.call.until.expired(steady_clock::now());
  end.transaction_open = s.conn->in_transaction();
  end.keys_open = s.conn->has_open_keys();
  end.suspect = s.conn->is_suspect();
  return after_statement(end);
}

void sqlite_backend::commit_group(slot& s, const std::vector<queued_write*>& members) {
  // Once it has begun a commit is not stopped.
  s.conn->control("commit", {steady_clock::now(), time_point::max(), {}, nullptr});
  const auto committed = steady_clock::now();
  for (auto* w : members) {
    // Alone, the commit would have been a part of its last step.
    if (w->rows == nullptr && w->report.first_row) w->report.first_row = committed;
    account(s, *w->query, w->call, w->report, w->failure);
    w->done = true;
  }
  if (members.size() > 1) {
    slot::add(shared_commits_, 1);
    slot::add(writes_in_shared_commits_, members.size());
  }
}

/// All but `stopped`, which may be null, are to run again, alone.
void sqlite_backend::break_up(slot& s, const std::vector<queued_write*>& members,
                              const queued_write* stopped) noexcept {
  slot::add(groups_broken_up_, 1);
  for (auto* w : members) {
    if (w == stopped) {
      account(s, *w->query, w->call, w->report, w->failure);
      w->done = true;
    } else {
      w->restart();
      w->alone = true;
    }
  }
  leave(s);
}

}  // namespace scalekit::db::sqlite

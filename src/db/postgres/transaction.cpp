#include "db/postgres/transaction.hpp"

#include "db/postgres/begin_call.hpp"
#include "db/postgres/commit_call.hpp"
#include "db/postgres/own_call.hpp"
#include "db/postgres/own_exchange.hpp"
#include "db/postgres/script.hpp"
#include "db/postgres/stop_bell.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <thread>
#include <utility>

namespace scalekit::db::postgres {

using detail::access;
using detail::returned;
using std::chrono::steady_clock;

namespace {

/// How long what must come to an end (commit, rollback) may take when the transaction's own time
/// is over.
constexpr std::chrono::seconds last_words{5};

/// Between two questions after a lost commit.
constexpr std::chrono::milliseconds first_pause{10};
constexpr std::chrono::milliseconds longest_pause{250};

/// A function that takes rows, or gives them, may throw anything.
std::string what_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "a function of the caller's threw";
  }
}

std::string begin_text_of(const transaction_options& options) {
  std::string text = "begin";
  switch (options.isolation) {
    case isolation_level::read_committed:
      break;
    case isolation_level::repeatable_read:
      text += " isolation level repeatable read";
      break;
    case isolation_level::serializable:
      text += " isolation level serializable";
      break;
  }
  // A snapshot for many reads is what a read-only transaction promises.
  if (options.read_only && options.isolation == isolation_level::read_committed) {
    text += " isolation level repeatable read";
  }
  text += options.read_only ? " read only" : " read write";
  if (options.deferrable) text += " deferrable";
  return text;
}

}  // namespace

transaction::transaction(std::shared_ptr<backend> owner, const destination& to,
                         lent_connection lent, const detail::call_frame& begun,
                         const transaction_options& options, std::stop_token also_stop,
                         std::source_location site)
    : backend_(std::move(owner)),
      at_(to.at),
      lent_(std::move(lent)),
      until_(begun.until),
      begun_(steady_clock::now()),
      waited_(begun.acquired ? *begun.acquired - begun.begun : std::chrono::nanoseconds{0}),
      stop_(options.stop),
      also_stop_(std::move(also_stop)),
      scope_(options.scope),
      site_(site),
      read_only_(options.read_only),
      session_(options.session),
      under_way_(backend_->routes(), *at_, read_only_ ? access::read : access::write) {
  try {
    backend_->routes().require_fit(read_only_ ? access::read : access::write, to, *lent_, site_);
    begin_call begin(begin_text_of(options), !read_only_, site_);
    converse(begin);
    identity_ = lent_->identity;
    backend_->routes().note_role(*at_, *lent_);
  } catch (...) {
    auto failure = std::current_exception();
    // What a standby says to "begin read write".
    if (!read_only_ && to_error(failure).diag().backend_code == "0A000") {
      failure = std::make_exception_ptr(
          error(make_error_code(errc::read_only), to_error(failure).diag()));
    }
    note_evidence(failure);
    if (lent_) lent_.give_back(state_of(*lent_->wire));
    std::rethrow_exception(failure);
  }
}

transaction::~transaction() {
  rollback();
}

void transaction::note_evidence(const std::exception_ptr& failure) noexcept {
  if (!lent_) return;
  const auto kind = read_only_ ? access::read : access::write;
  backend_->routes().failed(*at_, kind, failure, &*lent_);
  backend_->routes().note_role(*at_, *lent_);
}

detail::call_frame transaction::frame() const noexcept {
  return {begun_, until_, {&stop_, &also_stop_}, &scope_};
}

detail::call_frame transaction::with_wait(const detail::call_frame& call) noexcept {
  auto told = call;
  told.acquired = call.begun;
  told.begun -= std::exchange(waited_, {});
  return told;
}

void transaction::control(std::initializer_list<std::string> texts) {
  own_call call(texts, site_);
  converse(call);
}

void transaction::converse(conversation& what) {
  const auto limits = frame();
  wait_end why;
  {
    const stop_bell bell(lent_->bell, limits.stops);
    why = postgres::converse(*lent_, what, until_.when());
  }
  if (why != wait_end::ready) {
    throw backend_->interruption(why, limits, site_, lent_->wire->origin());
  }
}

/// PostgreSQL refuses everything after a statement that failed, up to the end of the transaction or
/// of the savepoint around it.
void transaction::note_failure(returned how, const std::exception_ptr& failure) noexcept {
  note_evidence(failure);
  if (state_ != state::open) return lent_.give_back(returned::needs_reset);
  const bool unusable = how != returned::healthy || lent_->wire->is_broken();
  if (!unusable && lent_->wire->transaction_status() == PQTRANS_INTRANS) return;
  if (!unusable && depth_ > 0) return;
  why_aborted_ = what_of(failure);
  state_ = state::aborted;
  lent_.give_back(returned::needs_reset);
}

void transaction::learn_xid() {
  if (xid_ != 0) return;
  own_call asked({xid_text}, site_);
  converse(asked);
  xid_ = number_of(*asked.answers().front());
}

void transaction::run_script(std::string_view script) {
  require_open("a script");
  if (read_only_) throw error(errc::not_allowed, "a script in a read-only transaction");
  wrote_ = true;
  lent_->spent = true;
  const auto limits = frame();
  try {
    const stop_bell bell(lent_->bell, limits.stops);
    const auto why = postgres::run_script(*lent_, script, site_, until_.when());
    if (why != wait_end::ready) {
      throw backend_->interruption(why, limits, site_, lent_->wire->origin());
    }
    learn_xid();
  } catch (const std::exception&) {
    note_failure(lent_->wire->transaction_status() == PQTRANS_ACTIVE ? returned::needs_reset
                                                                     : returned::healthy,
                 std::current_exception());
    throw;
  }
}

bool transaction::lock(std::int64_t key, bool wait, const call_options& options,
                       const std::source_location& site) {
  scalekit::detail::row_collector<bool> taken;
  const auto query = wait ? unsafe_sql({"select pg_advisory_xact_lock($1) is not null", site}, key)
                          : unsafe_sql({"select pg_try_advisory_xact_lock($1)", site}, key);
  run(access::read, query, options, &taken);
  return taken.take().front();
}

void transaction::savepoint() {
  require_open("a savepoint");
  ++depth_;
  try {
    control({"savepoint " + savepoint_name()});
  } catch (const std::exception&) {
    --depth_;
    note_failure(state_of(*lent_->wire), std::current_exception());
    throw;
  }
}

void transaction::release_savepoint() {
  require_open("the end of a savepoint");
  try {
    control({"release savepoint " + savepoint_name()});
  } catch (const std::exception&) {
    note_failure(state_of(*lent_->wire), std::current_exception());
    throw;
  }
  --depth_;
}

void transaction::rollback_to_savepoint() noexcept {
  if (state_ == state::open && !backend_->is_forked()) {
    try {
      own_call call(
          {"rollback to savepoint " + savepoint_name(), "release savepoint " + savepoint_name()},
          site_);
      const auto patience = earlier(deadline::after(last_words), until_);
      const auto why = postgres::converse(*lent_, call, patience.when());
      if (why != wait_end::ready) throw error(errc::execution_timeout, "it took too long");
    } catch (const std::exception& failure) {
      state_ = state::aborted;
      why_aborted_ = std::string("a savepoint could not be undone: ") + failure.what();
      lent_.give_back(returned::needs_reset);
    }
  }
  --depth_;
}

write_result transaction::commit() {
  require_open("commit");
  const auto limits = frame();
  if (limits.is_stopped() || until_.expired()) {
    const auto why = limits.is_stopped() ? wait_end::stopped : wait_end::deadline;
    const auto e = backend_->interruption(why, limits, site_, lent_->wire->origin());
    rollback();
    throw e;
  }
  // Once it is sent a commit is not stopped: what became of it is worth more than the time.
  commit_call call(wrote_, site_);
  auto lost = std::make_exception_ptr(
      error(errc::execution_timeout, "the server has not answered the commit"));
  try {
    if (resume(*lent_, call, patience().when()) == wait_end::ready) {
      end(returned::healthy, backend_->counted().committed);
      if (wrote_) backend_->wrote(call.token(), limits.begun, session_);
      return {0, 0, call.token().to_string()};
    }
  } catch (const error& e) {
    note_evidence(std::current_exception());
    if (e.code() != errc::connection_lost && e.code() != errc::commit_in_doubt) {
      end(returned::healthy, backend_->counted().rolled_back);
      throw;
    }
    lost = std::current_exception();
  }
  // Whoever asks needs a connection, perhaps the only one.
  state_ = state::over;
  lent_.give_back(returned::broken);
  return resolve(to_error(lost));
}

/// For what must come to an end.
deadline transaction::patience() const noexcept {
  return deadline::after(std::max<std::chrono::nanoseconds>(until_.remaining(), last_words));
}

/// Finds out what became of a transaction whose commit was sent and not answered.
write_result transaction::resolve(const error& lost) {
  auto& counters = backend_->counted();
  const auto why =
      lost.diag().server_message.empty() ? lost.diag().client_message : lost.diag().server_message;
  if (read_only_) {
    counters.rolled_back.fetch_add(1, std::memory_order_relaxed);
    throw error(make_error_code(errc::connection_lost),
                {detail::describe(site_) + ": the connection was lost at the end of a transaction "
                                           "that only read",
                 why,
                 {},
                 lost.diag().origin});
  }
  const auto asked = steady_clock::now();
  auto fate = commit_fate::unknown;
  causal_token token;
  std::string obstacle = "its id was not known";
  const auto until = patience();
  for (auto pause = first_pause; xid_ != 0; pause = std::min(pause * 2, longest_pause)) {
    try {
      commit_inquiry inquiry(xid_, identity_);
      ask(inquiry, until);
      fate = inquiry.fate();
      token = inquiry.token();
      if (fate != commit_fate::in_progress) {
        obstacle = "the server cannot tell any more";
        break;
      }
      obstacle = "it is still in progress";
    } catch (const std::exception& e) {
      obstacle = std::string("nobody could be asked: ") + e.what();
    }
    if (until.remaining() <= pause || backend_->is_closing()) break;
    std::this_thread::sleep_for(pause);
  }
  if (fate == commit_fate::committed) {
    counters.committed.fetch_add(1, std::memory_order_relaxed);
    backend_->wrote(token, asked, session_);
    return {0, 0, token.to_string()};
  }
  counters.rolled_back.fetch_add(1, std::memory_order_relaxed);
  if (fate == commit_fate::rolled_back) {
    throw error(make_error_code(errc::connection_lost),
                {detail::describe(site_) + ": the connection was lost at the commit; the server "
                                           "has rolled the transaction back",
                 why,
                 {},
                 lost.diag().origin});
  }
  throw error(make_error_code(errc::commit_in_doubt),
              {detail::describe(site_) +
                   ": the commit was not answered; whether it was made is not "
                   "known, for " +
                   obstacle,
               why,
               {},
               lost.diag().origin});
}

void transaction::ask(commit_inquiry& inquiry, deadline until) {
  detail::call_frame call{steady_clock::now(), until};
  bool waited = false;
  // Perhaps another host by now, which knows as much where its history is the same.
  const auto to = backend_->host_for(access::write, {}, call, site_);
  auto lent =
      to.at->pool->take({site_, false, std::this_thread::get_id()}, call, until.when(), waited);
  try {
    const auto why = resume(*lent, inquiry, until.when());
    if (why == wait_end::ready) return lent.give_back(returned::healthy);
  } catch (...) {
    lent.give_back(returned::needs_reset);
    throw;
  }
  lent.give_back(returned::needs_reset);
  throw error(errc::execution_timeout, "the server did not answer in time");
}

void transaction::rollback() noexcept {
  if (state_ == state::over) return;
  if (reading_) {
    // From within read_each(), which still reads from the connection.
    state_ = state::aborted;
    why_aborted_ = "rollback() was called";
    return;
  }
  if (state_ == state::aborted) {
    state_ = state::over;
    backend_->counted().rolled_back.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  // Recovery rolls back, on a thread of the pool's: nobody has to wait for it.
  end(returned::needs_reset, backend_->counted().rolled_back);
}

void transaction::end(returned how, std::atomic<std::uint64_t>& counter) noexcept {
  state_ = state::over;
  counter.fetch_add(1, std::memory_order_relaxed);
  lent_.give_back(how);
  under_way_ = {};
}

void transaction::require_open(std::string_view operation) const {
  backend_->check_thread("db::transaction");
  if (state_ == state::over) {
    throw error(errc::not_allowed, std::string(operation) + " after the end of the transaction");
  }
  if (state_ == state::aborted) {
    throw error(
        errc::not_allowed,
        std::string(operation) + " in an aborted transaction; it was rolled back: " + why_aborted_);
  }
  if (!lent_->wire->is_quiet()) {
    throw error(errc::not_allowed,
                std::string(operation) + " from within read_each() of the same transaction");
  }
}

}  // namespace scalekit::db::postgres

#include "db/postgres/transaction.hpp"

#include "db/postgres/commit_call.hpp"
#include "db/postgres/own_call.hpp"
#include "db/postgres/script.hpp"
#include "db/postgres/stop_bell.hpp"

#include <chrono>
#include <string_view>
#include <utility>

namespace scalekit::db::postgres {

using detail::access;
using detail::returned;
using std::chrono::steady_clock;

namespace {

/// How long what must come to an end (commit, rollback) may take when the transaction's own time
/// is over.
constexpr std::chrono::seconds last_words{5};

std::string begin_text(const transaction_options& options) {
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

transaction::transaction(std::shared_ptr<backend> owner, host_ptr at, lent_connection lent,
                         deadline until, const transaction_options& options,
                         std::stop_token also_stop, std::source_location site)
    : backend_(std::move(owner)),
      at_(std::move(at)),
      lent_(std::move(lent)),
      until_(until),
      begun_(steady_clock::now()),
      stop_(options.stop),
      also_stop_(std::move(also_stop)),
      scope_(options.scope),
      site_(site),
      read_only_(options.read_only),
      session_(options.session),
      under_way_(backend_->routes(), *at_) {
  try {
    control({begin_text(options)});
    backend_->routes().note_role(*at_, *lent_);
  } catch (const std::exception&) {
    auto failure = std::current_exception();
    // What a standby says to "begin read write".
    if (!read_only_ && to_error(failure).diag().backend_code == "0A000") {
      failure = std::make_exception_ptr(
          error(make_error_code(errc::read_only), to_error(failure).diag()));
    }
    note_evidence(failure);
    lent_.give_back(lent_->wire->is_quiet() ? returned::healthy : returned::needs_reset);
    std::rethrow_exception(failure);
  }
}

transaction::~transaction() {
  rollback();
}

void transaction::note_evidence(const std::exception_ptr& failure) noexcept {
  if (!lent_) return;
  const auto kind = read_only_ ? access::read : access::write;
  backend_->routes().failed(*at_, kind, failure);
  backend_->routes().note_role(*at_, *lent_);
}

detail::call_frame transaction::frame() const noexcept {
  return {begun_, until_, {&stop_, &also_stop_}, &scope_};
}

void transaction::control(std::initializer_list<std::string> texts) {
  own_call call(texts, site_);
  const auto limits = frame();
  wait_end why;
  {
    const stop_bell bell(lent_->bell, limits.stops);
    why = converse(*lent_, call, until_.when());
  }
  if (why != wait_end::ready) {
    throw backend_->interruption(why, limits, site_, lent_->wire->origin());
  }
}

write_result transaction::run(access kind, const statement& query, const call_options& options,
                              detail::row_sink* rows) {
  require_open("a statement");
  detail::throw_if_stopped(options.stop, query.site());
  detail::throw_if_stopped(stop_, query.site());
  detail::throw_if_stopped(also_stop_, query.site());
  if (read_only_ && kind == access::write) {
    throw error(errc::not_allowed,
                detail::describe(query.site()) + ": a write in a read-only transaction");
  }
  const auto entry = backend_->entry_for(query, kind);
  auto call = detail::frame_of(options, backend_->params().statement_timeout);
  call.until = earlier(call.until, until_);
  call.stops = {&options.stop, &stop_, &also_stop_};
  if (!options.scope) call.scope = &scope_;

  auto shape = backend_->shape_of(kind);
  shape.in_transaction = true;
  shape.learn_xid = kind == access::write && xid_ == 0;
  auto& e = lent_->spare;
  if (e.use_count() > 1) e = std::make_shared<exchange>();
  e->entry = entry;
  e->encoded_for = nullptr;
  statement_call sc(query, e, rows, shape);
  auto how = returned::healthy;
  try {
    backend_->converse(*at_, *lent_, sc, call, query.site(), how);
  } catch (const std::exception& failure) {
    backend_->track(query, *entry, call, &sc, std::current_exception());
    note_evidence(std::current_exception());
    note_failure(how, failure.what());
    throw;
  }
  backend_->track(query, *entry, call, &sc, nullptr);
  if (sc.xid() != 0) xid_ = sc.xid();
  wrote_ |= kind == access::write;
  return {sc.rows_affected(), 0, {}};
}

access transaction::kind_of(const statement& query) {
  // Where it runs is settled; what matters is what is to be undone.
  return backend_->is_read_by_text(query) ? access::read : access::write;
}

/// PostgreSQL refuses everything after a statement that failed, up to the end of the transaction or
/// of the savepoint around it.
void transaction::note_failure(returned how, const char* what) noexcept {
  const bool unusable = how != returned::healthy || lent_->wire->is_broken();
  if (!unusable && lent_->wire->transaction_status() == PQTRANS_INTRANS) return;
  if (!unusable && depth_ > 0) return;
  why_aborted_ = what;
  state_ = state::aborted;
  lent_.give_back(returned::needs_reset);
}

void transaction::run_script(std::string_view script) {
  require_open("a script");
  if (read_only_) throw error(errc::not_allowed, "a script in a read-only transaction");
  wrote_ = true;
  const auto limits = frame();
  try {
    const stop_bell bell(lent_->bell, limits.stops);
    const auto why = postgres::run_script(*lent_, script, site_, until_.when());
    if (why != wait_end::ready) {
      throw backend_->interruption(why, limits, site_, lent_->wire->origin());
    }
  } catch (const std::exception& failure) {
    note_failure(lent_->wire->transaction_status() == PQTRANS_ACTIVE ? returned::needs_reset
                                                                     : returned::healthy,
                 failure.what());
    throw;
  }
}

void transaction::savepoint() {
  require_open("a savepoint");
  ++depth_;
  try {
    control({"savepoint " + savepoint_name()});
  } catch (const std::exception& failure) {
    --depth_;
    note_failure(lent_->wire->is_quiet() ? returned::healthy : returned::needs_reset,
                 failure.what());
    throw;
  }
}

void transaction::release_savepoint() {
  require_open("the end of a savepoint");
  try {
    control({"release savepoint " + savepoint_name()});
  } catch (const std::exception& failure) {
    note_failure(lent_->wire->is_quiet() ? returned::healthy : returned::needs_reset,
                 failure.what());
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
      const auto why = converse(*lent_, call, patience.when());
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
  try {
    const auto patience =
        deadline::after(std::max<std::chrono::nanoseconds>(until_.remaining(), last_words));
    if (resume(*lent_, call, patience.when()) != wait_end::ready) {
      end(returned::needs_reset, backend_->counted().rolled_back);
      throw in_doubt("the server has not answered the commit");
    }
  } catch (const error& e) {
    if (state_ == state::over) throw;
    note_evidence(std::current_exception());
    const bool lost = e.code() == errc::connection_lost || e.code() == errc::commit_in_doubt;
    end(lost ? returned::broken : returned::healthy, backend_->counted().rolled_back);
    if (lost && wrote_) return resolve(e);
    throw;
  }
  end(returned::healthy, backend_->counted().committed);
  backend_->wrote(call.token(), session_);
  return {0, 0, call.token().to_string()};
}

error transaction::in_doubt(const std::string& why) const {
  return {make_error_code(errc::commit_in_doubt),
          {detail::describe(site_) + ": " + why + "; whether it was committed is not known",
           {},
           {},
           {}}};
}

/// Asks what became of a transaction whose commit was sent and not answered.
write_result transaction::resolve(const error& lost) {
  if (xid_ == 0) throw lost;
  throw in_doubt(lost.diag().server_message);
}

void transaction::rollback() noexcept {
  if (state_ == state::over) return;
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
}

}  // namespace scalekit::db::postgres

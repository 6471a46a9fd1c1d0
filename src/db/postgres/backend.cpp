#include "db/postgres/backend.hpp"

#include "db/postgres/reactor_port.hpp"
#include "db/postgres/second_chance.hpp"
#include "db/postgres/stop_bell.hpp"
#include "db/postgres/transaction.hpp"

#include <chrono>
#include <thread>
#include <utility>

namespace scalekit::db::postgres {

using detail::access;
using detail::call_frame;
using detail::returned;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t statements_remembered = 4096;
/// So many blocking reads at once have a connection each before more go through lanes: waking a
/// thread costs more than a small group saves.
constexpr std::size_t blocking_reads_apart = 6;

/// Counts a read for as long as it lives.
class counted_read {
 public:
  explicit counted_read(std::atomic<std::size_t>* counter) noexcept
      : counter_(counter),
        count_(counter == nullptr ? 0 : counter->fetch_add(1, std::memory_order_relaxed) + 1) {}
  ~counted_read() {
    if (counter_ != nullptr) counter_->fetch_sub(1, std::memory_order_relaxed);
  }
  counted_read(const counted_read&) = delete;
  counted_read& operator=(const counted_read&) = delete;

  std::size_t count() const noexcept { return count_; }

 private:
  std::atomic<std::size_t>* counter_;
  std::size_t count_;
};

}  // namespace

backend::backend(settings s, scalekit::execution exec)
    : settings_(std::move(s)),
      exec_(std::move(exec)),
      io_(std::make_shared<io_home>(exec_, "sk-db-io")),
      book_(statements_remembered, settings_.params.tracker),
      proofs_(std::make_shared<detail::proof_book>(
          detail::proof_book_limits{.slow_bound = settings_.params.lane_latency})),
      hosts_(make_hosts(settings_, io_)),
      router_(settings_, hosts_) {}

std::vector<host_ptr> backend::make_hosts(const settings& s, const std::shared_ptr<io_home>& io) {
  std::vector<host_ptr> hosts;
  for (const auto& server : s.servers) {
    hosts.push_back(
        std::make_shared<host>(server, s.params, io, hosts.size(), s.servers.size() > 1));
  }
  return hosts;
}

backend::~backend() {
  if (fork_guard_.is_forked()) return;
  for (const auto& h : hosts_) h->close();
}

destination backend::host_for(access kind, const call_options& options, call_frame& call,
                              const std::source_location& site,
                              std::optional<detail::failed_read> failed_on) {
  if (!router_.has_choice()) return {hosts_.front()};
  auto query = kind == access::read ? router_.to_read(options, call, site, failed_on)
                                    : router_.to_write(call, site);
  if (auto to = router_.try_find(query)) return to;
  auto to = router_.find(std::move(query));
  call.acquired = steady_clock::now();
  return to;
}

void backend::check_thread(std::string_view operation) const {
  fork_guard_.check(operation);
  io_thread_mark::check_blocking_allowed(operation);
}

error backend::closed_error() const {
  return {errc::closed, "the client of " + settings_.servers.front().name + " is closed"};
}

call_shape backend::shape_of(access kind) const noexcept {
  return {.kind = kind, .max_value_bytes = settings_.params.max_value_bytes};
}

statement_entry_ptr backend::entry_for(const statement& query, access kind) {
  const auto text = query.text();
  const auto limit = settings_.params.max_value_bytes;
  auto fail = [&](errc code, const std::string& why) {
    throw error(code, detail::describe(query.site()) + ": " + why);
  };
  if (text.size() > limit) {
    fail(errc::too_large, "the statement is larger than max_value_bytes, " + std::to_string(limit));
  }
  for (std::size_t i = 0; i < query.parameters().size(); ++i) {
    const auto v = query.parameters()[i];
    const auto size = v.kind() == value_kind::text   ? v.text().size()
                      : v.kind() == value_kind::blob ? v.blob().size()
                                                     : 0;
    if (size > limit) {
      fail(errc::too_large, "$" + std::to_string(i + 1) + " is larger than max_value_bytes, " +
                                std::to_string(limit));
    }
  }
  auto entry = book_.find(text);
  const auto& objection = kind == access::read ? entry->against_read : entry->against_write;
  if (!objection.why.empty()) [[unlikely]]
    fail(objection.code, objection.why);
  return entry;
}

statement_entry_ptr backend::copy_entry_for(const statement& query, detail::statement_kind kind) {
  const auto place = detail::describe(query.site()) + ": ";
  if (query.parameters().size() > 0) {
    throw error(errc::parameter_mismatch, place + "COPY takes no parameters");
  }
  auto entry = book_.find(query.text());
  if (entry->says.kind != kind) {
    throw error(errc::invalid_statement,
                place + (kind == detail::statement_kind::copy_out ? "not a COPY ... TO STDOUT"
                                                                  : "not a COPY ... FROM STDIN"));
  }
  return entry;
}

call_options as_call(const transaction_options& options) {
  // Which no standby can do.
  const bool is_serializable = options.isolation == isolation_level::serializable;
  return {.consistency = is_serializable ? consistency::primary() : options.consistency,
          .session = options.session,
          .labels = options.labels};
}

error backend::interruption(wait_end why, const call_frame& call, const std::source_location& site,
                            const std::string& origin) const {
  const auto place = detail::describe(site) + ": ";
  const auto took = detail::in_ms(steady_clock::now() - call.begun);
  if (why == wait_end::deadline) {
    return {make_error_code(errc::execution_timeout),
            {place + "stopped after " + took + ", its timeout", {}, {}, origin}};
  }
  if (call.is_stopped()) {
    return {make_error_code(errc::cancelled), {place + "cancelled after " + took, {}, {}, origin}};
  }
  return {make_error_code(errc::closed),
          {place + "stopped after " + took + ", the client was closed", {}, {}, origin}};
}

void backend::converse(host& at, connection& c, statement_call& what, const call_frame& call,
                       const std::source_location& site, returned& how) {
  auto why = wait_end::ready;
  struct release {
    statement_call& what;
    ~release() { what.let_go(); }
  } release{what};
  try {
    const stop_bell bell(c.bell, call.stops);
    why = postgres::converse(c, what, call.until.when());
  } catch (...) {
    if (!c.wire->is_quiet()) how = returned::needs_reset;
    throw;
  }
  if (why == wait_end::ready) return;
  how = returned::needs_reset;
  auto interrupted = interruption(why, call, site, c.wire->origin());
  if (!what.may_have_effect()) throw interrupted;
  at.pool->cancel(c);
  try {
    if (resume(c, what, steady_clock::now() + cancel_grace) == wait_end::ready) return;
  } catch (...) {
    // Nor is what no server has heard of sent once more, for who does not wait any longer.
    if (is_cancel(std::current_exception()) || !what.may_have_effect()) throw interrupted;
    throw;
  }
  throw in_doubt(interrupted);
}

error backend::in_doubt(const error& interrupted) const {
  return {
      make_error_code(errc::commit_in_doubt),
      {interrupted.diag().client_message + "; the server has not said whether the change was made",
       {},
       {},
       interrupted.diag().origin}};
}

bool backend::is_cancel(const std::exception_ptr& e) {
  return to_error(e).diag().backend_code == "57014";
}

lent_connection backend::take(host& from, const detail::pool_user& user, call_frame& call,
                              access kind) {
  const auto patience =
      earlier(deadline::after(settings_.params.acquire_timeout, call.begun), call.until);
  for (;;) {
    bool waited = false;
    auto lent = from.pool->take(user, call, patience.when(), waited);
    if (waited) call.acquired = steady_clock::now();
    lent->port.reset();
    // What was closed while it idled is found out before anything depends on it.
    if ((kind == access::read && lent.is_fresh()) || is_alive(*lent->wire)) return lent;
    lent.give_back(returned::broken);
  }
}

write_result backend::run_once(const call_work& work, const call_options& options, call_frame& call,
                               second_chance& chance, bool& was_tracked) {
  const auto kind = work.kind;
  const auto to = host_for(kind, options, call, work.site, chance.failed_on());
  const auto& at = to.at;
  call_on_host under_way(router_, *at, kind);
  const counted_read reading(kind == access::read ? &at->blocking_reads : nullptr);
  auto& first = work.members.front();
  // A lane would read on while a row is dealt with, and for all its members.
  if (kind == access::read && work.members.size() == 1 && !detail::is_stream(first.rows) &&
      may_share(at, *first.query, first.entry, call.begun) &&
      reading.count() > blocking_reads_apart) {
    was_tracked = true;
    try {
      auto done = run_in_lane(to, *first.query, first.entry, first.rows, call);
      under_way.answered();
      return done;
    } catch (const error&) {
      chance.failed_on(at->id);
      throw;
    }
  }
  auto lent = take(*at, {work.site, false, std::this_thread::get_id(), kind == access::read}, call,
                   // After a loss, one that was used just now may be as dead.
                   chance.lost_before() ? access::write : kind);
  if (kind == access::read || call.acquired) router_.require_fit(kind, to, *lent, work.site);
  was_tracked = true;
  statement_call sc(work.members, *lent, shape_of(kind));
  auto how = returned::healthy;
  try {
    converse(*at, *lent, sc, call, work.site, how);
  } catch (...) {
    if (lent->wire->transaction_status() != PQTRANS_IDLE) how = returned::needs_reset;
    chance.failed_on(at->id);
    router_.failed(*at, kind, std::current_exception(), &*lent);
    router_.note_role(*at, *lent);
    track(work.members, call, &sc, std::current_exception());
    lent.give_back(how);
    throw;
  }
  under_way.answered();
  router_.note_role(*at, *lent);
  if (kind == access::write) wrote(sc.token(), call.begun, options.session);
  track(work.members, call, &sc, nullptr);
  if (kind == access::read && work.members.size() == 1) note_time(*first.entry, sc);
  lent.give_back(how);
  return {sc.rows_affected(), 0, sc.token().to_string()};
}

write_result backend::run(access kind, const statement& query, const call_options& options,
                          detail::row_sink* rows) {
  auto call = admit(options, query.site());
  call_member only{&query, entry_for(query, kind), rows};
  return run({kind, {&only, 1}, query.site()}, options, call);
}

call_frame backend::admit(const call_options& options, const std::source_location& site) const {
  check_thread("db::client");
  if (is_closing()) throw closed_error();
  detail::throw_if_stopped(options.stop, site);
  return detail::frame_of(options, settings_.params.statement_timeout);
}

write_result backend::run(const call_work& work, const call_options& options, call_frame& call) {
  for (second_chance chance;;) {
    bool was_tracked = false;
    try {
      return run_once(work, options, call, chance, was_tracked);
    } catch (const misrouted& m) {
      if (may_look_again(call)) continue;
      track(work.members, call, nullptr, std::make_exception_ptr(m.why));
      throw m.why;
    } catch (const error& e) {
      const bool again = !is_closing() && chance.allows(e, work.kind, router_.has_choice()) &&
                         can_restart(work.members);
      if (!again && !was_tracked) {
        // All its time went into the wait.
        call.acquired = steady_clock::now();
        track(work.members, call, nullptr, std::current_exception());
      }
      if (!again) throw;
      restart(work.members);
    }
  }
}

std::unique_ptr<detail::transaction_backend> backend::begin(const transaction_options& options,
                                                            const std::source_location& site) {
  check_thread("db::client::begin");
  if (is_closing()) throw closed_error();
  auto call = detail::frame_of(options, settings_.params.transaction_timeout);
  detail::throw_if_stopped(options.stop, site);
  const auto kind = options.read_only ? access::read : access::write;
  const auto as_read = as_call(options);
  for (second_chance chance;;) {
    try {
      const auto to = host_for(kind, as_read, call, site);
      auto lent = take(*to.at, {site, true, std::this_thread::get_id(), options.read_only}, call,
                       access::write);
      return std::make_unique<transaction>(shared_from_this(), to, std::move(lent), call, options,
                                           std::stop_token{}, site);
    } catch (const misrouted& m) {
      if (!may_look_again(call)) throw m.why;
    } catch (const error& e) {
      if (is_closing() || !chance.allows(e, kind, router_.has_choice())) throw;
    }
  }
}

void backend::close(std::chrono::nanoseconds timeout) {
  check_thread("db::client::close");
  closing_ = true;
  const auto until = deadline::after(timeout).when();
  for (const auto& h : hosts_) h->wait_until_idle(until);
  for (const auto& h : hosts_) h->close();
  router_.close();
  stopping_.request_stop();
  for (const auto& h : hosts_) h->pool->stop_running();
}

}  // namespace scalekit::db::postgres

#include "db/postgres/router.hpp"

#include "db/call_site.hpp"
#include "db/postgres/evidence.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

namespace scalekit::db::postgres {

namespace asio = boost::asio;
using detail::access;
using detail::call_frame;
using detail::read_route;
using detail::refusal;
using std::chrono::steady_clock;

namespace {

/// Evidence also changes by growing old, of which nobody tells.
constexpr std::chrono::milliseconds longest_look_away{50};

error cancelled(const std::source_location& site) {
  return {errc::cancelled, detail::describe(site) + ": cancelled while it waited for a host"};
}

void add(pool_statistics& sum, const pool_statistics& one) {
  sum.limit += one.limit;
  sum.busy += one.busy;
  sum.waiting += one.waiting;
  sum.acquired += one.acquired;
  sum.waited += one.waited;
  sum.acquire_timeouts += one.acquire_timeouts;
  sum.shed += one.shed;
  sum.cancelled_waits += one.cancelled_waits;
  sum.size += one.size;
  sum.idle += one.idle;
  sum.dialing += one.dialing;
  sum.unready += one.unready;
  sum.closing += one.closing;
  sum.dials += one.dials;
  sum.dial_failures += one.dial_failures;
  sum.unreachable += one.unreachable;
  sum.leaks_reported += one.leaks_reported;
  sum.closed.broken += one.closed.broken;
  sum.closed.spent += one.closed.spent;
  sum.closed.idle += one.closed.idle;
  sum.closed.expired += one.closed.expired;
  sum.closed.evicted += one.closed.evicted;
  sum.closed.surplus += one.closed.surplus;
  sum.closed.unhealthy += one.closed.unhealthy;
  sum.closed.pool_closed += one.closed.pool_closed;
}

}  // namespace

router::router(const settings& s, std::vector<host_ptr> hosts)
    : params_(s.params), hosts_(std::move(hosts)) {
  if (hosts_.size() < 2) return;
  watch_ = std::make_shared<host_watch>(s, hosts_);
  for (const auto& each : hosts_) {
    each->pool->on_dial_failed(
        [weak = std::weak_ptr(watch_), id = each->id](const dialed& attempt) {
          const auto watch = weak.lock();
          const auto against = evidence_of(attempt);
          if (watch && against) watch->error_seen(id, *against, attempt.failure);
        });
  }
}

router::~router() {
  if (!watch_ || guard_.is_forked()) return;
  watch_->close();
  watch_->join();
}

void router::close() {
  if (watch_) watch_->close();
}

router::query router::to_write(const call_frame& call, const std::source_location& site) const {
  query q;
  q.kind = access::write;
  q.patience = earlier(deadline::after(params_.acquire_timeout, call.begun), call.until).when();
  q.site = site;
  q.call = &call;
  return q;
}

router::query router::to_read(const call_options& options, const call_frame& call,
                              const std::source_location& site,
                              std::optional<detail::failed_read> failed_on) const {
  auto q = to_write(call, site);
  q.kind = access::read;
  if (!watch_) return q;
  q.read.how = options.consistency;
  if (options.consistency.what() == consistency::kind::own_writes) {
    auto newest = newest_write(options.session);
    const auto& named = options.consistency.token();
    q.is_of_client = !options.session;
    q.is_of_token = !named.is_empty();
    if (newest) {
      // One of the two is of a cluster that was replaced: which, the board knows.
      if (q.is_of_client && q.is_of_token && !newest->can_merge(named)) newest = causal_token();
      newest->merge(named);
      q.read.how = consistency::after(*newest);
    } else {
      q.read.how = consistency::primary();
    }
  }
  if (!options.labels.empty()) q.read.labels = &options.labels;
  q.read.begun = steady_clock::now();
  q.read.until = call.until.when();
  q.read.failed_on = failed_on;
  return q;
}

/// Nothing where its position is not known.
std::optional<causal_token> router::newest_write(const std::optional<db::session>& by) const {
  std::optional<causal_token> newest;
  {
    const std::lock_guard lock(mutex_);
    if (!unplaced_since_) newest = newest_;
  }
  if (!by) return newest;
  auto asked = *by;
  if (asked.misses_one()) {
    if (!newest) return {};
    asked.make_up(*newest);
  }
  return asked.newest();
}

router::look_result router::look(query& q) {
  if (watch_->is_closed()) {
    return {.failure = std::make_exception_ptr(
                error(errc::closed, detail::describe(q.site) + ": the client is closed"))};
  }
  return q.kind == access::write ? look_for_writer(q) : look_for_reader(q);
}

router::look_result router::look_for_writer(const query& q) {
  std::uint64_t seen = 0;
  const auto route = watch_->writer(seen);
  if (route) return {.to = {hosts_[route.host]}};
  return refuse(q, route.why, route.explanation, seen);
}

router::look_result router::look_for_reader(query& q) {
  std::uint64_t seen = 0;
  const auto route = watch_->reader(q.read, seen);
  switch (route.what) {
    case read_route::kind::use:
      return {.to = {hosts_[route.host], {route.as_of, route.on_primary}}};
    case read_route::kind::ask:
      watch_->ask(route.host, route.when);
      ++q.read.asked;
      return {.seen = seen,
              .again = std::min(q.read.until, steady_clock::now() + longest_look_away)};
    case read_route::kind::refused:
      break;
  }
  if (route.why == refusal::foreign_token && q.is_of_client && !q.is_of_token) {
    // The cluster was replaced, by an upgrade for one. What it has of that write the primary has;
    // or the write was the first on the new one, of which the board has yet to hear.
    forget(q.read.how.token(), params_.topology.evidence_lease);
    q.read.how = consistency::primary();
    return look_for_reader(q);
  }
  if (route.why == refusal::token_lost && q.is_of_client) forget(q.read.how.token());
  return refuse(q, route.why, route.explanation, seen);
}

/// Of all reads that count on it one has to fail, so that somebody hears of it. For ever would help
/// nobody.
void router::forget(const causal_token& lost, std::chrono::nanoseconds min_age) noexcept {
  const std::lock_guard lock(mutex_);
  if (newest_ == lost && steady_clock::now() - newest_at_ >= min_age) newest_ = {};
}

router::look_result router::refuse(const query& q, refusal why, const std::string& explanation,
                                   std::uint64_t seen) const {
  const auto now = steady_clock::now();
  // What a person has to end is not waited for.
  const bool stands =
      !detail::may_pass(why) || why == refusal::split_brain || why == refusal::mixed_clusters;
  if (stands || now >= q.patience) {
    return {.failure = std::make_exception_ptr(
                detail::refusal_error(why, detail::describe(q.site) + ": " + explanation))};
  }
  return {.seen = seen, .again = std::min(q.patience, now + longest_look_away)};
}

destination router::try_find(query& q) {
  if (!watch_) return {hosts_.front()};
  auto got = look(q);
  if (got.failure) std::rethrow_exception(got.failure);
  return std::move(got.to);
}

destination router::find(query q) {
  if (!watch_) return {hosts_.front()};
  for (;;) {
    auto got = look(q);
    if (got.failure) std::rethrow_exception(got.failure);
    if (got.to) return std::move(got.to);
    watch_->wait(got.seen, got.again);
    if (q.call->is_stopped()) throw cancelled(q.site);
  }
}

void router::require_fit(access kind, const destination& to, connection& c,
                         const std::source_location& site) {
  if (!watch_) return;
  if (kind == access::write) return require_writer(*to.at, site);
  const auto what = misfit_of(to.of, c);
  if (what == misfit::none) return;
  note_misfit(*to.at, what, c.made_at);
  throw misrouted_by(what, c, site);
}

void router::require_writer(const host& at, const std::source_location& site) const {
  std::uint64_t seen = 0;
  const auto route = watch_->writer(seen);
  if (route && route.host == at.id) return;
  const auto& name = at.pool->name();
  throw error(make_error_code(errc::unavailable),
              {detail::describe(site) + ": " + name +
                   " has ceased to take the writes while this waited for a connection to it",
               {},
               {},
               name});
}

/// A call without a thread that waits for a host, on a strand of its own.
struct waiting_route : std::enable_shared_from_this<waiting_route> {
  using strand_type = asio::strand<asio::any_io_executor>;

  waiting_route(router& r, router::query q, asio::any_io_executor where, router::found f)
      : owner(r),
        asked(std::move(q)),
        strand(asio::make_strand(std::move(where))),
        timer(strand),
        then(std::move(f)) {}
  ~waiting_route() { bell->cut(); }

  void look() {
    try {
      if (asked.call->is_stopped()) throw cancelled(asked.site);
      if (!owner.watch_) return finish(nullptr, {owner.hosts_.front()});
      auto got = owner.look(asked);
      if (got.failure || got.to) return finish(std::move(got.failure), std::move(got.to));
      timer.expires_at(got.again);
      timer.async_wait([self = shared_from_this()](boost::system::error_code) { self->look(); });
      bell->hang(*this);
      owner.watch_->on_event(got.seen, [to = bell] { to->ring(); });
    } catch (...) {
      finish(std::current_exception(), {});
    }
  }

  void finish(std::exception_ptr e, destination to) {
    std::exchange(then, nullptr)(std::move(e), std::move(to));
  }

  /// What rings may outlive the call, and the loop: it must keep neither, nor touch a loop that is
  /// gone.
  class door_bell {
   public:
    void hang(waiting_route& at) {
      const std::lock_guard lock(mutex_);
      at_ = &at;
    }
    void cut() noexcept {
      const std::lock_guard lock(mutex_);
      at_ = nullptr;
    }
    void ring() {
      const std::lock_guard lock(mutex_);
      if (at_ == nullptr) return;
      asio::post(at_->strand, [weak = at_->weak_from_this()] {
        if (auto self = weak.lock()) self->timer.cancel();
      });
    }

   private:
    std::mutex mutex_;
    waiting_route* at_ = nullptr;
  };

  router& owner;
  router::query asked;
  strand_type strand;
  asio::steady_timer timer;
  router::found then;
  const std::shared_ptr<door_bell> bell = std::make_shared<door_bell>();
};

void router::async_find(query q, asio::any_io_executor where, found then) {
  auto waiting =
      std::make_shared<waiting_route>(*this, std::move(q), std::move(where), std::move(then));
  asio::post(waiting->strand, [waiting] { waiting->look(); });
}

void router::note_misfit(const host& at, misfit what, time_point made_at) noexcept {
  if (!watch_) return;
  try {
    switch (what) {
      case misfit::none:
        break;
      case misfit::too_new:
        return watch_->connected_anew(at.id, made_at);
      case misfit::standby:
        return watch_->parameter_status(at.id, {.in_hot_standby = true});
    }
  } catch (const std::exception&) {
    // The monitor will find out as well.
  }
}

void router::wrote(const causal_token& token, time_point begun,
                   const std::optional<db::session>& by) noexcept {
  try {
    if (watch_) {
      const std::lock_guard lock(mutex_);
      if (token.is_empty()) {
        unplaced_since_ = steady_clock::now();
      } else {
        // One that was under way already may have been before it.
        if (unplaced_since_ && begun > *unplaced_since_) unplaced_since_.reset();
        if (!newest_.can_merge(token)) newest_ = {};
        newest_.merge(token);
        newest_at_ = steady_clock::now();
      }
    }
    if (token.is_empty()) {
      if (watch_ && by) db::session(*by).miss();
      return;
    }
    if (by) db::session(*by).observe(token);
  } catch (const std::exception&) {
    // The write is done. What does not fit together are tokens of two databases, which a read says.
  }
}

void router::failed(const host& at, access kind, const std::exception_ptr& e,
                    connection* on) noexcept {
  if (!e) return;
  try {
    const auto seen = to_error(e);
    if (!watch_) {
      // Where its name leads by now only a new connection can tell.
      const bool is_misled = kind == access::write && seen.code() == errc::read_only;
      if (is_misled && on != nullptr) on->outdated |= on->is_standby().value_or(false);
      return;
    }
    if (const auto against = evidence_of(seen, kind)) {
      watch_->error_seen(at.id, *against, reason_of(seen));
    }
  } catch (const std::exception&) {
    // The monitor will find out as well.
  }
}

void router::note_role(const host& at, connection& c) noexcept {
  if (!watch_) return;
  const auto said = c.is_standby();
  if (!said || c.told_standby == said) return;
  c.told_standby = said;
  try {
    watch_->parameter_status(at.id, {.in_hot_standby = said});
  } catch (const std::exception&) {
    // The monitor will find out as well.
  }
}

void router::describe(client_statistics& out) const {
  for (const auto& each : hosts_) {
    host_statistics h;
    h.name = each->pool->name();
    h.pool = each->pool->statistics();
    h.reads = each->reads.load(std::memory_order_relaxed);
    h.behind_pooler = each->pool->is_pooled() == true;
    if (watch_) {
      auto state = watch_->state_of(each->id);
      if (state.is_primary) h.role = *state.is_primary ? host_role::primary : host_role::replica;
      h.lag = state.lag;
      h.state = std::move(state.text);
    }
    if (!watch_ || h.role == host_role::primary) {
      out.writer = h.pool;
    } else {
      add(out.readers, h.pool);
    }
    out.hosts.push_back(std::move(h));
  }
}

}  // namespace scalekit::db::postgres
